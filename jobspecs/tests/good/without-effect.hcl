# Blocks that have no effect yet are in the job, and each use of one is said.
job "form" {
  type = "batch"
  periodic {
    cron             = "@daily"
    prohibit_overlap = true
  }
  vault {
    role = "web"
  }
  group "g" {
    scaling {
      max = 5
      policy {
        cooldown = "1m"
      }
    }
    volume "data" {
      type   = "host"
      source = "disk"
    }
    network {
      port "http" {
        host_network = "public"
      }
    }
    service {
      name = "web"
      port = "http"
      connect {
        sidecar_service {}
      }
      weights {
        passing = 3
      }
    }
    task "t" {
      driver = "fake"
      template {
        data        = "x = {{ env \"X\" }}"
        destination = "local/x"
        splay       = "1s"
      }
      artifact {
        source = "https://example.com/x.tar.gz"
        options {
          checksum = "md5:x"
        }
      }
      volume_mount {
        volume      = "data"
        destination = "/data"
      }
      resources {
        cores = 2
        device "nvidia/gpu" {
          count = 1
        }
      }
    }
  }
}
