variable "services" {
  type = map(object({
    port   = number
    public = bool
    tags   = optional(list(string), [])
  }))
  default = {
    web = { port = 80, public = true, tags = ["a", "b"] }
    api = { port = 8080, public = true }
    db  = { port = 5432, public = false }
  }
}

locals {
  public        = { for name, s in var.services : name => s if s.public }
  by_visibility = { for name, s in var.services : (s.public ? "public" : "private") => name... }
  swapped       = { for name, s in var.services : s.port => name }
  matrix        = [for a in ["x", "y"] : [for b in range(1, 3) : "${a}${b}"]]
}

job "gateway" {
  meta = {
    public        = join(",", keys(local.public))
    by_visibility = jsonencode(local.by_visibility)
    swapped       = jsonencode(local.swapped)
    matrix        = jsonencode(local.matrix)
    tags          = join(",", flatten([for name, s in var.services : [for t in s.tags : "${name}-${t}"]]))
    indexed       = join(" ", [for i, name in keys(var.services) : format("%02d:%s", i, name)])
    "team.name"   = "edge"
    ("computed-${1 + 1}") = "key"
  }

  group "gateway" {
    task "gateway" {
      driver = "docker"
      config {
        image = "registry.example.com/gateway:2"
        args  = [for name, s in local.public : "--route=/${name}=127.0.0.1:${s.port}"]
      }
      env = { for name, s in var.services : "${upper(name)}_PORT" => s.port }
    }
  }
}
