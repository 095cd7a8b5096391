# -var replicas=[1, 2
# -var datacenters=[dc1]
# -var ports=[80, "http"]
# -var large=yes
# -var limits={cpu = 1}
variable "replicas" {
  type = number
}
variable "datacenters" {
  type = list(string)
}
variable "ports" {
  type = list(number)
}
variable "large" {
  type = bool
}
variable "limits" {
  type = object({ cpu = number, memory = number })
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
