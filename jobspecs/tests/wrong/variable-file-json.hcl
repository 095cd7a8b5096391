# -var-file { "replicas": "many", "ports": [80, "http"], "tga": "1" }
variable "replicas" {
  type = number
}
variable "ports" {
  type = list(number)
}
variable "tag" {
  default = "1"
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
