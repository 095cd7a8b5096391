# One database on a host volume; it comes back to where its data is.
job "postgres" {
  type = "service"

  group "db" {
    count = 1

    volume "pgdata" {
      type            = "host"
      source          = "postgres"
      read_only       = false
      sticky          = true
      access_mode     = "single-node-single-writer"
      attachment_mode = "file-system"
    }

    ephemeral_disk {
      size    = 1000
      sticky  = true
      migrate = true
    }

    network {
      port "db" {
        static = 5432
      }
    }

    restart {
      attempts = 10
      interval = "5m"
      delay    = "25s"
      mode     = "delay"
    }

    shutdown_delay = "3s"

    service {
      name = "postgres"
      port = "db"

      check {
        name     = "alive"
        type     = "tcp"
        interval = "10s"
        timeout  = "2s"
      }

      check {
        name                     = "pg_isready"
        type                     = "script"
        task                     = "postgres"
        command                  = "/usr/bin/pg_isready"
        args                     = ["-U", "postgres"]
        interval                 = "30s"
        timeout                  = "5s"
        failures_before_warning  = 1
        failures_before_critical = 3
        success_before_passing   = 2
      }
    }

    task "postgres" {
      driver         = "docker"
      user           = "999"
      kill_timeout   = "25s"
      kill_signal    = "SIGINT"
      shutdown_delay = "1500ms"

      config {
        image    = "postgres:16.4-alpine"
        ports    = ["db"]
        shm_size = 268435456
        args     = ["-c", "shared_buffers=256MB", "-c", "max_connections=200"]
      }

      volume_mount {
        volume           = "pgdata"
        destination      = "/var/lib/postgresql/data"
        read_only        = false
        propagation_mode = "private"
        selinux_label    = "Z"
      }

      env = {
        POSTGRES_USER = "postgres"
        PGDATA        = "/var/lib/postgresql/data/pgdata"
      }

      logs {
        max_files     = 5
        max_file_size = 15
      }

      resources {
        cpu    = 1000
        memory = 1024
      }
    }
  }
}
