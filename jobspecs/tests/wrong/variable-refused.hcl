# -var replicas=0
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
variable "replicas" {
  type = number
  validation {
    condition = var.replicas > 0
    error_message = "at least one is needed."
  }
}
