job "wordpress" {
  group "wordpress" {
    network {
      mode = "bridge"

      port "http" {
        static = 8080
        to     = 80
      }
      port "db" {
        to = 3306
      }

      dns {
        servers  = ["10.0.0.2", "1.1.1.1"]
        searches = ["service.consul"]
        options  = ["timeout:2"]
      }
    }

    task "mariadb" {
      driver = "docker"

      lifecycle {
        hook    = "prestart"
        sidecar = true
      }

      config {
        image = "mariadb:11.5"
        ports = ["db"]
      }

      service {
        port     = "db"
        provider = "nomad"
        tags     = ["mysql"]

        check {
          type     = "tcp"
          interval = "5s"
          timeout  = "1s"
        }
      }

      template {
        data = <<-EOT
          MARIADB_DATABASE=wordpress
          MARIADB_USER=wp
          {{ with nomadVar "nomad/jobs/wordpress" -}}
          MARIADB_PASSWORD={{ .password }}
          {{- end }}
          MARIADB_RANDOM_ROOT_PASSWORD=1
        EOT
        destination = "secrets/db.env"
        env         = true
      }
    }

    task "apache" {
      driver = "docker"

      config {
        image = "wordpress:6.6-apache"
        ports = ["http"]
      }

      env {
        WORDPRESS_DB_HOST = "${NOMAD_ADDR_db}"
      }

      service {
        name = "${BASE}-web"
        port = "http"
      }

      resources {
        cpu    = 300
        memory = 400
      }
    }
  }
}
