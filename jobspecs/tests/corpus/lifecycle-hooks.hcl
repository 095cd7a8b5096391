# A task before, one beside, one after the main one.
job "rails" {
  group "rails" {
    ephemeral_disk {
      size    = 500
      migrate = true
      sticky  = true
    }

    restart {
      attempts         = 3
      delay            = "10s"
      render_templates = true
    }

    task "migrate" {
      driver = "docker"

      lifecycle {
        hook    = "prestart"
        sidecar = false
      }

      restart {
        attempts = 0
      }

      config {
        image   = "registry.example.com/rails:8"
        command = "bin/rails"
        args    = ["db:migrate"]
      }
    }

    task "log-shipper" {
      driver = "docker"

      lifecycle {
        hook    = "prestart"
        sidecar = true
      }

      config {
        image = "fluent/fluent-bit:3.1"
      }

      resources {
        cpu    = 50
        memory = 64
      }
    }

    task "web" {
      driver = "docker"
      leader = true

      config {
        image = "registry.example.com/rails:8"
      }

      action "console-check" {
        command = "/app/bin/rails"
        args    = ["runner", "puts User.count"]
      }

      action "clear-cache" {
        command = "/app/bin/clear-cache"
      }
    }

    task "announce" {
      driver = "docker"

      lifecycle {
        hook = "poststart"
      }

      config {
        image = "curlimages/curl:8.10.1"
        args  = ["-fsS", "https://chat.example.com/hook", "-d", "started ${NOMAD_ALLOC_NAME}"]
      }
    }

    task "upload-logs" {
      driver = "docker"

      lifecycle {
        hook = "poststop"
      }

      restart {
        attempts         = 5
        interval         = "10m"
        delay            = "1s"
        mode             = "delay"
        render_templates = false
      }

      config {
        image = "amazon/aws-cli:2.18.0"
        args  = ["s3", "sync", "/alloc/logs", "s3://logs/${NOMAD_ALLOC_ID}"]
      }
    }
  }
}
