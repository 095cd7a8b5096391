variable "limits" {
  default = { cpu = 100, memory = 64 }
}
locals {
  names  = [for name in ["a", "b"] : upper(nmae)]
  shares = { for key, value in var.limits : key => value / "x" }
  third  = split(",", "a,b")[2]
  inner  = { list = [1, 2, { deep = var.limits.cpus }] }
}
job "web" {
  group "web" {
    task "web" {
      driver = "docker"
      config {
        image = "web:1"
      }
      resources {
        cpu    = var.limits.cpus + 100
        memory = max(64, "x" + 1)
      }
      env {
        A = "before ${1 / 0} after"
        B = "${true ? var.missing : "x"}"
        C = "${var.limits.cpu.share}"
      }
      template {
        destination = "local/x"
        data        = <<-EOT
          first = ${var.limits.cpu}
          second = ${var.limits.disk}
          %{ for name in var.limits.cpu }
          ${name}
          %{ endfor }
        EOT
      }
    }
  }
}
