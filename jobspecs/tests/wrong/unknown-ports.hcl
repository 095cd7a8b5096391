job "web" {
  group "web" {
    network {
      port "http" {}
      port "metrics" {}
    }
    service {
      name = "web"
      port = "htttp"
      check {
        type     = "tcp"
        port     = "metrisc"
        interval = "10s"
        timeout  = "2s"
      }
    }
    service {
      name = "admin"
      port = "admin"
    }
    service {
      name = "far"
      port = 99999
    }
    task "web" {
      driver = "docker"
      config {
        image = "web:1"
        ports = ["http", "metric"]
      }
    }
  }
}
