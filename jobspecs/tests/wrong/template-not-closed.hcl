variable "tag" {
  default = "1"
}
job "web" {
  group "web" {
    task "web" {
      driver = "docker"
      config {
        image = "web:1"
        hostname = "web-${var.tag"
      }
    }
  }
}
