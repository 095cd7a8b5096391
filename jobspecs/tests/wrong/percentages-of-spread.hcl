job "web" {
  spread {
    attribute = "${node.datacenter}"
    weight    = 150
    target "eu" {
      percent = 70
    }
    target "us" {
      percent = 70
    }
  }
  affinity {
    attribute = "${meta.rack}"
    value     = "r1"
    weight    = -200
  }
  group "web" {
    spread {
      attribute = "${meta.rack}"
      target "a" {
        percent = "50%"
      }
      target "b" {
        percent = 0.5
      }
    }
    task "web" {
      driver = "fake"
    }
  }
}
