job "web" {
  group "web" {
    network {
      port "http" {}
    }
    service {
      name = "web"
      port = "http"
      check {
        type     = "grpc"
        interval = "10s"
        timeout  = "2s"
      }
      check {
        type     = "script"
        command  = "/bin/check"
        interval = "10s"
        timeout  = "2s"
      }
      check {
        type     = "http"
        path     = "/"
        protocol = "https"
        interval = "10s"
        timeout  = "2s"
      }
    }
    task "web" {
      driver = "fake"
    }
  }
}
