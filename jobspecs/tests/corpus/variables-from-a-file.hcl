# -var-file database = { host = "db.example.com", port = 6432, options = { sslmode = "require", pool = "20" } }
# -var-file domains = ["a.example", "b.example"]
# -var owner=ops
variable "database" {
  type = object({
    host    = string
    port    = number
    name    = optional(string, "app")
    options = map(string)
  })
}

variable "domains" {
  type = set(string)
}

variable "owner" {
  type    = string
  default = "nobody"
}

variable "limits" {
  type    = tuple([number, string, bool])
  default = [10, "burst", true]
}

locals {
  query = join("&", [for k, v in var.database.options : "${k}=${v}"])
  url   = "postgres://${var.database.host}:${var.database.port}/${var.database.name}?${local.query}"
}

job "migrations" {
  type = "batch"

  meta {
    owner = var.owner
  }

  group "migrate" {
    task "migrate" {
      driver = "docker"

      config {
        image = "migrate/migrate:v4.18.1"
        args  = ["-database", local.url, "up"]
      }

      env {
        DOMAINS    = join(",", [for d in var.domains : d])
        LIMIT      = var.limits[0]
        LIMIT_KIND = var.limits[1]
        STRICT     = var.limits[2]
      }
    }
  }
}
