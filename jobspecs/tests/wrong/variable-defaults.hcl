variable "ports" {
  type    = list(number)
  default = [80, "http"]
}
variable "limits" {
  type    = map(number)
  default = {
    cpu    = 100
    memory = "64MB"
  }
}
variable "names" {
  type    = list
  default = "a"
}
variable "dcs" {
  type    = list(strin)
  default = []
}
variable "x" {
  type    = "string"
  default = null
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
