job "web" {
  group "web" {
    network = "host"
    task "web" {
      driver = "docker"
      config {
        image = "web:1"
      }
    }
  }
}
