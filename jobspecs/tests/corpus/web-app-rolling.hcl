# A stateless web application: canaries, then three at a time, back to the last good version if it fails.
job "storefront" {
  datacenters = ["fra1", "ams1"]
  type        = "service"
  priority    = 70

  meta {
    owner = "web-platform"
    tier  = 1
  }

  update {
    max_parallel      = 3
    canary            = 1
    min_healthy_time  = "20s"
    healthy_deadline  = "4m"
    progress_deadline = "12m"
    auto_revert       = true
    auto_promote      = true
    health_check      = "checks"
    stagger           = "45s"
  }

  constraint {
    attribute = "${attr.kernel.name}"
    value     = "linux"
  }

  group "web" {
    count = 6

    network {
      port "http" {
        to = 3000
      }
    }

    service {
      name        = "storefront"
      provider    = "nomad"
      port        = "http"
      tags        = ["public", "v42"]
      canary_tags = ["canary"]

      check {
        type     = "http"
        path     = "/healthz"
        interval = "10s"
        timeout  = "2s"

        check_restart {
          limit           = 3
          grace           = "90s"
          ignore_warnings = false
        }
      }
    }

    task "puma" {
      driver = "docker"

      config {
        image = "registry.example.com/shop/storefront:42"
        ports = ["http"]
        args  = ["bundle", "exec", "puma", "-p", "${NOMAD_PORT_http}"]
      }

      env {
        RAILS_ENV           = "production"
        WEB_CONCURRENCY     = 4
        RAILS_LOG_TO_STDOUT = true
      }

      resources {
        cpu        = 500
        memory     = 512
        memory_max = 1024
      }
    }
  }
}
