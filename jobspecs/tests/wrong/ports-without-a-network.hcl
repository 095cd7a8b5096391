job "web" {
  group "web" {
    service {
      name = "web"
      port = "http"
    }
    task "web" {
      driver = "docker"
      config {
        image = "web:1"
        ports = ["http"]
      }
    }
  }
}
