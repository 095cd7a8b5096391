variable "name" {
  default = "web"
}
variable "image" {
  default = "${var.name}:1"
}
job "web" {
  group "web" {
    task "web" {
      driver = "docker"
      config {
        image = "web:1"
      }
    }
  }
}
