job "web" {
  group "web" {
    task "web" {
      driver = "docker"
      driver = "fake"
      config {
        image = "web:1"
      }
    }
  }
}
