# -var tag=2
# -var-file ports = { http = 8080, admin = "9090" }
variable "tag" {
  type = string
}
variable "ports" {
  type = map(number)
}
variable "tuning" {
  type = object({ threads = number, mode = optional(string, "fast") })
  default = { threads = "4" }
}
variables {
  owner = "team-a"
}
locals {
  image  = "${local.name}:${var.tag}"
  name   = lower("WEB")
  labels = { for port, number in var.ports : upper(port) => number + 1 if number > 8080 }
}
job "language" {
  type = "batch"
  meta {
    owner    = var.owner
    mode     = var.tuning.mode
    threads  = var.tuning.threads * 2
    fallback = try(var.tuning.nope, local.nope, "none")
    can      = can(var.tuning.nope)
    splat    = join(",", [{ a = 1 }, { a = 2 }][*].a)
    number   = 1 + "2"
    escaped  = "$${var.tag} %%{if}"
    heredoc  = <<-EOT
      listen {
        %{ for name, port in var.ports ~}
        ${name} ${port}
        %{ endfor ~}
      }
      node ${node.unique.name}
    EOT
  }
  group "language" {
    count = var.tuning.threads > 2 ? 2 : 1
    network {
      dynamic "port" {
        for_each = var.ports
        labels   = [port.key]
        content {
          to = port.value
        }
      }
    }
    task "main" {
      driver = "docker"
      config {
        image  = local.image
        args   = concat(["--node", "${node.unique.name}"], formatlist("--label=%s", keys(local.labels)))
        labels = local.labels
        logging {
          type = "json-file"
          config {
            max-size = "1m"
          }
        }
      }
      env {
        ADDRESS = "${NOMAD_IP_http}:${NOMAD_PORT_http}"
        KERNEL  = attr.kernel.name
        JSON    = jsonencode({ b = [1, true, null], a = "x" })
      }
    }
  }
}
