variable "tag" {
  default = "1"
}
locals {
  mode = "production"
}
job "web" {
  group "web" {
    dynamic "service" {
      for_each = ["a", "b"]
      content {
        name = each.value
      }
    }
    task "web" {
      driver = "docker"
      config {
        image = "web:1"
      }
      env {
        TAG  = "v${vars.tag}"
        MODE = locals.mode
        KIND = upper(variable.tag)
      }
    }
  }
}
