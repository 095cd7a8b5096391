variable "ports" {
  type = map(number)
  default = {
    http    = 8080
    metrics = 9090
    grpc    = 50051
  }
}

variable "reserved" {
  type = list(object({
    name = string
    port = number
  }))
  default = [
    { name = "ssh", port = 2222 },
    { name = "dns", port = 5353 },
  ]
}

job "many-ports" {
  group "app" {
    network {
      dynamic "port" {
        for_each = var.ports
        labels   = [port.key]

        content {
          to = port.value
        }
      }

      dynamic "port" {
        for_each = var.reserved
        iterator = reserved
        labels   = ["${reserved.value.name}_${reserved.key}"]

        content {
          static = reserved.value.port
        }
      }
    }

    dynamic "service" {
      for_each = var.ports
      iterator = p

      content {
        name     = "many-${p.key}"
        port     = p.key
        provider = "nomad"
        tags     = ["to=${p.value}", p.key == "http" ? "public" : "internal"]
      }
    }

    task "app" {
      driver = "docker"
      config {
        image = "registry.example.com/app:1"
        ports = concat(keys(var.ports), [for i, r in var.reserved : "${r.name}_${i}"])
      }
    }
  }
}
