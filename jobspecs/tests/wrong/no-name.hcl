job "web" {
  group {
    task "web" {
      driver = "docker"
      config {
        image = "web:1"
      }
    }
  }
}
