# -var replicas=many
job "web" {
  group "web" {
    count = var.replicas
    task "web" {
      driver = "docker"
      config {
        image = "web:1"
      }
    }
  }
}
variable "replicas" {
  type = number
}
