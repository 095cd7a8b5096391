job "web" {
  group "web" {
    task "shares" {
      driver = "fake"
      resources {
        cpu = 100
        numa {
          affinity = "require"
        }
      }
    }
    task "devices" {
      driver = "fake"
      resources {
        cores = 2
        device "nvidia/gpu" {}
        numa {
          affinity = "prefer"
          devices  = ["nvidia/gpu", "nvidia/gqu"]
        }
      }
    }
  }
}
