job "web" {
  group "web" {
    network {
      port "http" {}
    }
    service {
      name = "web_front"
      port = "htpp"
      task = "wbe"
      check {
        type = "http"
        path = "health"
        timeout = "100ms"
      }
      check {
        type = "grcp"
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
