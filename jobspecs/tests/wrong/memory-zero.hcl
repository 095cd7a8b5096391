job "web" {
  group "web" {
    task "web" {
      driver = "docker"
      resources {
        memory = 0
      }
      config {
        image = "web:1"
      }
    }
  }
}
