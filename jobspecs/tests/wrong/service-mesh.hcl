job "web" {
  group "web" {
    service {
      name = "empty"
      port = "80"
      connect {}
    }
    service {
      name     = "both"
      port     = "80"
      provider = "nomad"
      connect {
        native = true
        sidecar_service {
          proxy {
            upstreams {
              local_bind_port = 70000
            }
            expose {
              path {
                path = "health"
              }
            }
          }
        }
      }
    }
    service {
      name = "edge"
      port = "80"
      connect {
        gateway {
          ingress {
            listener {
              service {
                name  = "web"
                hosts = ["web.example.com"]
              }
            }
            listener {
              port = 90
            }
          }
          mesh {}
        }
      }
    }
    task "web" {
      driver = "fake"
    }
  }
}
