job "web" {
  group "web" {
    task "web" {
      driver = "docker"
      resources {
        memory = 1048576
      }
      config {
        image = "web:1"
      }
    }
  }
}
