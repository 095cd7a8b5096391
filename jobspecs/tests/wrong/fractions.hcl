job "web" {
  group "web" {
    count = 1.5
    task "web" {
      driver = "docker"
      config {
        image = "web:1"
      }
      resources {
        cpu    = 0.5
        memory = 256.5
      }
    }
  }
}
