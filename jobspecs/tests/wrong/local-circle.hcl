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
locals {
  a = local.b
  b = local.a
  c = 1
}
