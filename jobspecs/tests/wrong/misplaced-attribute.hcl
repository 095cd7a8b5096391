job "web" {
  group "web" {
    task "web" {
      driver = "docker"
      memory = 64
      config {
        image = "web:1"
      }
    }
  }
}
