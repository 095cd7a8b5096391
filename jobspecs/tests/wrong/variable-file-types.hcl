# -var-file replicas = "many"
# -var-file ports = [80, "http", 443]
# -var-file limits = { memory = 64, cpu = { least = "x" } }
# -var-file tag = latest
# -var-file image = "web:${var.tag}"
# -var-file large = upper(3, 4)
# -var-file task { name = "x" }
variable "replicas" {
  type = number
}
variable "ports" {
  type = list(number)
}
variable "limits" {
  type = object({ memory = number, cpu = object({ least = number }) })
}
variable "tag" {
  type = string
}
variable "image" {
  type = string
}
variable "large" {
  type = bool
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
