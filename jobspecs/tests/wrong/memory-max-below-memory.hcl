job "web" {
  group "web" {
    task "web" {
      driver = "docker"
      resources {
        memory = 100
        memory_max = 50
      }
      config {
        image = "web:1"
      }
    }
  }
}
