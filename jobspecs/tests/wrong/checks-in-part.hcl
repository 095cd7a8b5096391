job "web" {
  group "web" {
    service {
      name = "web"
      check {
        type     = "http"
        path     = "/"
        interval = "10s"
        timeout  = "2s"
      }
    }
    service {
      name = "api"
      port = "80"
      check {
        path = "/"
      }
      check {
        type     = "https"
        path     = "/"
        interval = "10"
        timeout  = 2
      }
      check {
        type     = "http"
        interval = "10s"
        timeout  = "2s"
        method   = "GTE"
      }
      check {
        type     = "tcp"
        interval = "10ms"
        timeout  = "30s"
        command  = "/bin/true"
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
