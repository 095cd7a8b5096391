job "quotes" {
  group "api" {
    scaling {
      enabled = true
      min     = 2
      max     = 20

      policy {
        cooldown            = "2m"
        evaluation_interval = "30s"

        check "cpu" {
          source = "nomad-apm"
          query  = "avg_cpu"

          strategy "target-value" {
            target = 70
          }
        }

        check "queue" {
          source       = "prometheus"
          query        = "sum(queue_depth{job=\"quotes\"})"
          query_window = "5m"

          strategy "threshold" {
            upper_bound = 100
            delta       = 1
          }
        }
      }
    }

    task "api" {
      driver = "docker"

      config {
        image = "registry.example.com/quotes:1.0"
      }

      resources {
        cpu    = 250
        memory = 128
      }

      scaling "cpu" {
        enabled = true
        min     = 100
        max     = 1000

        policy {
          cooldown = "1h"

          check "p95" {
            strategy "app-sizing-percentile" {
              percentile = "95"
            }
          }
        }
      }

      scaling "mem" {
        enabled = false
        min     = 64
        max     = 1024

        policy {
          evaluation_interval = "24h"
        }
      }
    }
  }
}
