job "web" {
  constraint {
    attribute = "${mta.rack}"
    value     = "r1"
  }

  group "web" {
    affinity {
      attribute = "${node.name}"
      value     = "n1"
    }

    constraint {
      attribute = "${attr.kernel.name}"
      value     = "linux"
    }

    task "web" {
      driver = "docker"

      config {
        image = "web"
      }
    }
  }
}
