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
  default = "x"
}
variable "x" {
  type = strng
}
