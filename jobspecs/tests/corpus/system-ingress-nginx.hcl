job "ingress-nginx" {
  type        = "system"
  datacenters = ["dc1", "dc2"]

  update {
    max_parallel = 2
    stagger      = "1m"
    health_check = "task_states"
  }

  group "nginx" {
    update {
      canary       = 50
      auto_promote = true
    }

    network {
      port "https" {
        static = 443
      }
    }

    shutdown_delay = "10s"

    service {
      name         = "ingress"
      port         = "https"
      provider     = "nomad"
      address_mode = "auto"

      check {
        type            = "http"
        protocol        = "https"
        path            = "/healthz"
        tls_skip_verify = true
        interval        = "5s"
        timeout         = "1s"
      }
    }

    task "nginx" {
      driver       = "docker"
      kill_signal  = "SIGQUIT"
      kill_timeout = "30s"

      config {
        image        = "nginx:1.27"
        network_mode = "host"
        ports        = ["https"]
        mount {
          type     = "bind"
          source   = "secrets/tls"
          target   = "/etc/nginx/tls"
          readonly = true
        }
      }

      identity {
        file = true
      }
    }
  }
}
