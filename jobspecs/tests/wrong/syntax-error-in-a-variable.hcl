variable "tag" {
  type    = string
  default = "1
}
locals {
  mode = production"
}
job "web" {
  group "web" {
    cuont = 2
    task "web" {
      driver = "docker"
      config {
        image   = "web:${var.tag}"
        command = local.mode
      }
    }
  }
}
