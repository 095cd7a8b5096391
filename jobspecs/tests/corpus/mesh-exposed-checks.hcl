# The health check and the metrics bypass the mesh's TLS through exposed paths.
job "catalog" {
  group "catalog" {
    network {
      mode = "bridge"
      port "metrics_proxy" {}
    }

    service {
      name = "catalog"
      port = "8080"

      check {
        name     = "health"
        type     = "http"
        path     = "/health"
        expose   = true
        interval = "15s"
        timeout  = "3s"
      }

      connect {
        sidecar_service {
          proxy {
            expose {
              path {
                path            = "/metrics"
                protocol        = "http"
                local_path_port = 8080
                listener_port   = "metrics_proxy"
              }
              path {
                path            = "/grpc.health.v1.Health/Check"
                protocol        = "http2"
                local_path_port = 9090
                listener_port   = "metrics_proxy"
              }
            }
          }
        }
      }
    }

    task "catalog" {
      driver = "docker"
      config {
        image = "registry.example.com/catalog:1.9.0"
      }
    }
  }
}
