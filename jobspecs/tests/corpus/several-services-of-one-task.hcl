job "rabbitmq" {
  group "rabbitmq" {
    network {
      mode     = "bridge"
      hostname = "rabbit"
      port "amqp" { to = 5672 }
      port "ui" { to = 15672 }
    }

    service {
      name         = "rabbitmq"
      port         = "amqp"
      task         = "rabbitmq"
      provider     = "nomad"
      address_mode = "alloc"
    }

    service {
      name     = "rabbitmq-ui"
      port     = "ui"
      provider = "nomad"
      tags     = ["ui", "internal"]

      check {
        name     = "aliveness"
        type     = "http"
        path     = "/api/health/checks/alarms"
        interval = "20s"
        timeout  = "4s"
        header {
          Authorization = ["Basic Z3Vlc3Q6Z3Vlc3Q="]
        }
      }
    }

    task "rabbitmq" {
      driver = "docker"

      config {
        image    = "rabbitmq:3.13-management"
        ports    = ["amqp", "ui"]
        hostname = "rabbit"
      }

      service {
        name         = "rabbitmq-metrics"
        port         = "15692"
        address_mode = "driver"
      }

      env = merge({ RABBITMQ_NODENAME = "rabbit@rabbit" }, { RABBITMQ_DEFAULT_VHOST = "/" })

      resources { memory = 512 }
    }
  }
}
