job "web" {
  group "web" {
    task "web" {
      driver = "docker"
      resources {
        memry = 64
      }
      config {
        image = "web:1"
      }
    }
  }
}
