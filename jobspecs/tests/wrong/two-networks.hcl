job "web" {
  group "web" {
    network {}
    network {}
    task "web" {
      driver = "docker"
      config {
        image = "web:1"
      }
    }
  }
}
