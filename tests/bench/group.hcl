
  group "web-NUMBER" {
    count = 3

    network {
      port "http" {
        to = 8080
      }
      port "metrics" {}
    }

    service {
      name     = "web-NUMBER"
      port     = "http"
      provider = "nomad"
      tags     = concat(local.tags, ["traefik.http.routers.web-NUMBER.rule=Host(`web-NUMBER.example.com`)"])

      check {
        type     = "http"
        path     = "/health"
        interval = "10s"
        timeout  = "2s"
      }
    }

    update {
      max_parallel     = 2
      min_healthy_time = "15s"
      auto_revert      = true
    }

    constraint {
      attribute = "${attr.kernel.name}"
      value     = "linux"
    }

    task "server" {
      driver = "docker"

      config {
        image = "${var.image}:${format("%s-%03d", "1.4", NUMBER)}"
        ports = ["http", "metrics"]
        args  = ["--listen", "0.0.0.0:8080", "--node", "${node.unique.name}", "--id", "${NOMAD_ALLOC_ID}"]
      }

      env {
        TAGS        = join(",", [for tag in local.tags : upper(tag)])
        DATABASE    = "postgres://${NOMAD_META_database}/shop"
        METRICS     = "${NOMAD_ADDR_metrics}"
        CONCURRENCY = NUMBER > 10 ? 16 : 8
      }

      template {
        destination = "local/app.conf"
        change_mode = "signal"
        data        = <<-EOT
          # Written for web-NUMBER.
          {{ range nomadService "database" }}
          upstream {{ .Address }}:{{ .Port }};
          {{ end }}
          tags = ${jsonencode(local.tags)}
          level = {{ env "LEVEL" | toLower }}
        EOT
      }

      resources {
        cpu        = 200
        memory     = 256
        memory_max = 512
      }
    }
  }
