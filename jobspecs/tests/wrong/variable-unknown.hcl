job "web" {
  group "web" {
    task "web" {
      driver = "docker"
      config {
        image = "web:${var.tga}"
      }
    }
  }
}
variable "tag" {
  default = "1"
}
