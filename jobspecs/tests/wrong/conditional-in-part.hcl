variable "large" {
  default = true
}
job "web" {
  group "web" {
    count = var.large ? 3
    task "web" {
      driver = "docker"
      config {
        image = "web:1"
      }
    }
  }
}
