# The short forms of a constraint at the job and at the task.
job "shortly-placed" {
  constraint {
    distinct_hosts = true
  }
  constraint {
    distinct_property = "${meta.rack}"
    value             = 2
  }
  constraint {
    attribute = "${node.unique.name}"
    regexp    = "^worker-"
  }
  constraint {
    attribute = "${attr.kernel.version}"
    version   = ">= 5.10"
  }
  constraint {
    attribute = "${attr.nomad.version}"
    semver    = "> 1.6.0-rc.1"
  }
  constraint {
    attribute    = "${meta.tags}"
    set_contains = "web"
  }
  constraint {
    attribute        = "${meta.tags}"
    set_contains_any = "ssd,nvme"
  }

  group "g" {
    count = 2

    constraint {
      attribute = "${meta.size}"
      operator  = ">="
      value     = 3
    }

    task "t" {
      driver = "docker"

      constraint {
        attribute = "${attr.cpu.modelname}"
        regexp    = "Intel|AMD"
      }
      constraint {
        attribute = "${attr.driver.docker.version}"
        version   = ">= 20.10, < 29"
      }
      constraint {
        attribute = "${attr.plugins.cni.version.bridge}"
        semver    = ">= 1.0.0"
      }
      constraint {
        attribute    = "${attr.os.signals}"
        set_contains = "SIGHUP"
      }
      constraint {
        attribute        = "${attr.driver.docker.runtimes}"
        set_contains_any = "runc,crun"
      }

      affinity {
        attribute = "${attr.cpu.frequency}"
        operator  = ">"
        value     = "3000"
        weight    = 30
      }

      config {
        image = "alpine:3.20"
      }

      resources {
        device "amd/gpu" {
          affinity {
            attribute = "${device.attr.memory}"
            operator  = ">"
            value     = "8 GiB"
            weight    = 90
          }
        }
      }
    }
  }
}
