variable "name" {
  default = "web"
}
job "${var.name}" {
  group "web-${var.name}" {
    task "web" {
      driver = "docker"
      config {
        image = "web:1"
      }
    }
  }
}
