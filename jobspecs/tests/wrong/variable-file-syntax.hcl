# -var-file replicas = [1, 2
# -var tag=v1
variable "replicas" {
  type = list(number)
}
variable "tag" {
  type = string
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
