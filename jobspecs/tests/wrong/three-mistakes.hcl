job "web" {
  priority = 500
  group "web" {
    count = "two"
    task "web" {
      driver = "docker"
      config {
        image = "web:1"
      }
      resources {
        memory = 1
      }
    }
  }
}
