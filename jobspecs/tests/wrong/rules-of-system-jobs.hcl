job "web" {
  type = "system"
  group "web" {
    count = 2
    reschedule {
      attempts = 1
    }
    affinity {
      attribute = "${meta.rack}"
      value = "a"
    }
    spread {
      attribute = "${node.datacenter}"
    }
    task "web" {
      driver = "docker"
      config {
        image = "web:1"
      }
    }
  }
}
