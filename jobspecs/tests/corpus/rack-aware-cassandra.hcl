job "cassandra" {
  datacenters = ["eu-*", "us-east"]

  affinity {
    attribute = "${node.class}"
    operator  = "="
    value     = "storage"
    weight    = 100
  }

  spread {
    attribute = "${node.datacenter}"
    weight    = 60

    target "eu-1" {
      percent = 50
    }
    target "us-east" {
      percent = 30
    }
  }

  group "cassandra" {
    count = 5

    affinity {
      attribute = "${attr.unique.storage.bytesfree}"
      operator  = ">"
      value     = "500000000000"
      weight    = 25
    }

    affinity {
      attribute        = "${meta.disk}"
      set_contains_any = "nvme,ssd"
    }

    spread {
      attribute = "${meta.rack}"
      weight    = 100
    }

    spread {
      attribute = "${node.class}"

      target "storage" {
        percent = 100
      }
    }

    migrate {
      max_parallel     = 1
      health_check     = "task_states"
      min_healthy_time = "1m"
      healthy_deadline = "20m"
    }

    task "cassandra" {
      driver = "docker"

      affinity {
        attribute = "${attr.cpu.modelname}"
        regexp    = "EPYC"
        weight    = -10
      }

      config {
        image = "cassandra:5.0"
      }

      resources {
        cpu        = 2000
        memory     = 4096
        memory_max = 6144
      }
    }
  }
}
