# As it was written for old releases: the network in the task's resources, the ports mapped by the driver.
job "redis-legacy" {
  datacenters = ["dc1"]

  group "cache" {
    task "redis" {
      driver = "docker"

      config {
        image = "redis:3.2"
        port_map {
          db = 6379
        }
      }

      resources {
        cpu    = 500
        memory = 256
        iops   = 0

        network {
          mbits = 10
          port "db" {}
          port "admin" {
            static = 16379
          }
        }
      }

      service {
        name         = "redis-legacy"
        tags         = ["global", "cache"]
        port         = "db"
        address_mode = "driver"

        check_restart {
          limit           = 5
          grace           = "45s"
          ignore_warnings = true
        }

        check {
          name     = "alive"
          type     = "tcp"
          interval = "10s"
          timeout  = "2s"
        }

        check {
          name     = "deep"
          type     = "script"
          command  = "redis-cli"
          args     = ["ping"]
          interval = "1m"
          timeout  = "5s"

          check_restart {
            limit = 2
          }
        }
      }
    }
  }
}
