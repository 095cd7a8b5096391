job "web" {
  group "web" {
    network {
      prot "http" {}
      port "https" {
        statc = 443
        too   = 8443
      }
    }
    service {
      naem     = "web"
      port     = "https"
      providr  = "nomad"
      tag      = ["a"]
      chek {
        type = "tcp"
      }
      check {
        type     = "http"
        path     = "/"
        intervall = "10s"
        timout   = "2s"
      }
    }
    task "web" {
      driver = "docker"
      config {
        image = "web:1"
      }
    }
  }
}
