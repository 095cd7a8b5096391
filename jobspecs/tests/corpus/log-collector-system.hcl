job "vector" {
  type = "system"

  constraint {
    attribute = "${meta.logs}"
    operator  = "!="
    value     = "off"
  }

  group "vector" {
    restart {
      attempts = 3
      interval = "10m"
      delay    = "30s"
      mode     = "delay"
    }

    network {
      port "api" {
        to = 8686
      }
    }

    volume "docker-sock" {
      type      = "host"
      source    = "docker-sock"
      read_only = true
    }

    service {
      name     = "vector"
      port     = "api"
      provider = "nomad"

      check {
        name      = "Vector"
        type      = "http"
        port      = "api"
        path      = "/health"
        method    = "GET"
        interval  = "30s"
        timeout   = "5s"
        on_update = "ignore"

        header {
          Accept = ["application/json"]
        }
      }
    }

    task "vector" {
      driver       = "docker"
      kill_timeout = "30s"

      config {
        image = "timberio/vector:0.42.0-alpine"
        ports = ["api"]
      }

      volume_mount {
        volume      = "docker-sock"
        destination = "/var/run/docker.sock"
        read_only   = true
      }

      env {
        VECTOR_CONFIG          = "local/vector.toml"
        VECTOR_REQUIRE_HEALTHY = "true"
      }

      template {
        destination   = "local/vector.toml"
        change_mode   = "signal"
        change_signal = "SIGHUP"
        # Vector has its own braces.
        left_delimiter  = "[["
        right_delimiter = "]]"
        data = <<EOH
data_dir = "alloc/data/vector/"
[api]
enabled = true
address = "0.0.0.0:8686"
[sources.logs]
type = "docker_logs"
[sinks.loki]
type = "loki"
inputs = ["logs"]
labels.job = "{{ label.com\\.hashicorp\\.nomad\\.job_name }}"
[[ range nomadService "loki" ]]endpoint = "http://[[ .Address ]]:[[ .Port ]]"
[[ end ]]
EOH
      }
    }
  }
}
