job "placement" {
  constraint {
    attribute = "${attr.kernel.name}"
    value     = "linux"
  }
  constraint {
    distinct_hosts = true
  }
  constraint {
    distinct_property = "${meta.rack}"
    value             = 2
  }
  constraint {
    attribute = "${attr.driver.docker.version}"
    version   = ">= 20.10, < 30"
  }
  constraint {
    attribute = "${meta.ssd}"
    operator  = "is_set"
  }
  affinity {
    attribute    = "${meta.tags}"
    set_contains = "a,b"
    weight       = -50
  }
  spread {
    attribute = "${node.datacenter}"
    weight    = 100
    target "dc1" {
      percent = 70
    }
    target "dc2" {
      percent = 30
    }
  }
  group "g" {
    task "t" {
      driver = "fake"
      constraint {
        attribute = "${attr.cpu.arch}"
        operator  = "!="
        value     = "arm64"
      }
    }
  }
}
