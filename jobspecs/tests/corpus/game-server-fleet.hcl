variable "fleet" {
  type = list(object({
    name    = string
    port    = number
    players = optional(number, 16)
  }))
  default = [
    { name = "dust", port = 27015 },
    { name = "aztec", port = 27016, players = 24 },
  ]
}

job "game-servers" {
  dynamic "group" {
    for_each = { for s in var.fleet : s.name => s }
    iterator = server
    labels   = [server.key]

    content {
      meta {
        players = server.value.players
      }

      network {
        port "game" {
          static = server.value.port
        }
      }

      dynamic "constraint" {
        for_each = server.value.players > 16 ? ["large"] : []
        content {
          attribute = "${node.class}"
          value     = constraint.value
        }
      }

      dynamic "service" {
        for_each = ["game", "rcon"]
        content {
          name = "${server.key}-${service.value}"
          port = "game"
          tags = ["slots:${server.value.players}", service.key == 0 ? "udp" : "tcp"]
        }
      }

      task "server" {
        driver = "docker"

        config {
          image = "registry.example.com/game:${server.key}"
          args  = ["-port", "${NOMAD_PORT_game}", "-maxplayers=${server.value.players}"]
          ports = ["game"]
        }

        dynamic "template" {
          for_each = range(2)
          content {
            destination = "local/part-${template.value}.cfg"
            data        = "hostname \"${server.value.name} ${template.value + 1}\"\n"
          }
        }
      }
    }
  }
}
