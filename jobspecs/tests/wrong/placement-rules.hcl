job "web" {
  group "web" {
    constraint {
      value = "x"
    }
    constraint {
      attribute = "${attr.a}"
      operator = "="
    }
    constraint {
      attribute = "${attr.a}"
      regexp = "("
    }
    constraint {
      attribute = "${attr.a}"
      version = "new"
    }
    constraint {
      attribute = "${attr.a}"
      operator = "~"
      value = "x"
    }
    constraint {
      attribute = "${attr.a}"
      regexp = "a"
      version = ">= 1"
    }
    affinity {
      attribute = "${attr.a}"
      value = "x"
      weight = 0
    }
    affinity {
      attribute = "${attr.a}"
      value = "x"
      weight = 101
    }
    spread {
      attribute = "${node.datacenter}"
      weight = 0
      target "a" {
        percent = 60
      }
      target "b" {
        percent = 50
      }
    }

    task "web" {
      driver = "docker"
      config {
        image = "web:1"
      }
    }
  }
}
