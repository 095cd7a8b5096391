variable "image" {
  type    = string
  default = "basket:demo"
}

job "web" {
  group "web" {
    count = 2

    task "app" {
      driver = "docker"

      config {
        image = var.image
      }
    }
  }
}
