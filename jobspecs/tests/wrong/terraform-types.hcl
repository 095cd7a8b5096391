variable "names" {
  type    = list(string)
  default = ["a", "b"]
}
variable "is_large" {
  type    = bool
  default = true
}
job "web" {
  datacenters = var.is_large
  priority    = var.names[0]
  group "web" {
    count = var.is_large ? "many" : 2
    task "web" {
      driver = "docker"
      config {
        image = "web:1"
      }
      user = var.names
      env {
        NAMES = var.names
      }
      resources {
        cpu    = var.is_large
        memory = length(var.names) > 1 ? "big" : 64
      }
    }
  }
}
