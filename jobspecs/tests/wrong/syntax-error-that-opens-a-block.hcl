job "web" {
  group "web" {
    network {
      port "http" = {
        to = 80
      }
    }
    service {
      name = "web"
      port = "http"
    }
    task "web" {
      driver = "docker"
      kill_timeot = "5s"
      config {
        image = "web:1"
      }
    }
  }
}
