variable "tag" {
  default = "1"
}
variable "tag" {
  default = "2"
}
variables {
  tag = "3"
}
locals {
  a = 1
}
locals {
  a = 2
}
job "web" {
  group "web" {
    volume "data" {
      type   = "host"
      source = "disk"
    }
    volume "data" {
      type   = "host"
      source = "other"
    }
    service {
      name = "web"
      port = "80"
    }
    task "web" {
      driver = "fake"
      service {
        name = "web"
        port = "80"
      }
    }
    task "web" {
      driver = "fake"
      resources {}
      resources {}
    }
  }
}
