job "web" {
  group "web" {
    count = 9
    scaling {
      min = 2
      max = 5
    }
    task "web" {
      driver = "fake"
      scaling "disk" {
        min = 500
        max = 100
      }
      resources {
        cpu   = 100
        cores = 2
        device "nvidia/gpu" {
          count = 0
          constraint {
            operator = ">="
            value    = "2 GiB"
          }
        }
        numa {
          affinity = "strict"
        }
      }
    }
  }
}
