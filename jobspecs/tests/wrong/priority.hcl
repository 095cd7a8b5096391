job "web" {
  priority = 101
  group "web" {
    task "web" {
      driver = "docker"
      config {
        image = "web:1"
      }
    }
  }
}
