job "keycloak" {
  migrate {
    max_parallel     = 1
    health_check     = "checks"
    min_healthy_time = "30s"
    healthy_deadline = "6m"
  }

  group "keycloak" {
    count = 2

    update {
      max_parallel      = 1
      health_check      = "checks"
      min_healthy_time  = "30s"
      healthy_deadline  = "6m"
      progress_deadline = "20m"
      canary            = 2
      auto_revert       = true
      auto_promote      = false
      stagger           = "1m"
    }

    reschedule {
      attempts       = 3
      interval       = "45m"
      delay          = "45s"
      delay_function = "exponential"
      max_delay      = "5m"
      unlimited      = false
    }

    network {
      port "http" {
        to = 8080
      }
      port "management" {
        to = 9000
      }
    }

    service {
      name = "keycloak"
      port = "http"
      tags = [
        "traefik.enable=true",
        "traefik.http.routers.keycloak.rule=Host(`id.example.com`) && PathPrefix(`/realms`)",
      ]

      check_restart {
        limit           = 4
        grace           = "2m"
        ignore_warnings = true
      }

      check {
        name     = "ready"
        type     = "http"
        port     = "management"
        path     = "/health/ready"
        interval = "15s"
        timeout  = "5s"
      }

      check {
        name     = "live"
        type     = "http"
        port     = "management"
        path     = "/health/live"
        interval = "15s"
        timeout  = "5s"

        check_restart {
          limit = 2
          grace = "1m"
        }
      }
    }

    task "keycloak" {
      driver = "docker"

      config {
        image   = "quay.io/keycloak/keycloak:26.0"
        command = "start"
        ports   = ["http", "management"]
      }

      env {
        KC_HOSTNAME       = "https://id.example.com"
        KC_HEALTH_ENABLED = true
        KC_PROXY_HEADERS  = "xforwarded"
      }

      template {
        data = <<-EOT
          {{- with nomadVar "nomad/jobs/keycloak" }}
          KC_DB_PASSWORD={{ .db_password }}
          {{- end }}
        EOT
        destination = "${NOMAD_SECRETS_DIR}/keycloak.env"
        env         = true
      }

      resources {
        cpu    = 800
        memory = 1200
      }
    }
  }
}
