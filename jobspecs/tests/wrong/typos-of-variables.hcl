variable "tag" {
  tpye    = string
  defualt = "1"
}
variable "replicas" {
  type    = nubmer
  default = 2
  validaton {
    condition = var.replicas > 0
  }
  validation {
    conditon      = var.replicas > 0
    error_message = "at least one"
  }
}
varaible "more" {}
local {
  a = 1
}
job "web" {
  group "web" {
    count = var.replicsa
    task "web" {
      driver = "docker"
      config {
        image = "web:${var.tag}"
      }
    }
  }
}
