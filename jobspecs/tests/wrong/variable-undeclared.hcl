# -var tga=1
# -var-file replicas = 2
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
variable "tag" {
  default = "1"
}
