job "web" {
  group "web" {
    count {}
    task "web" {
      driver = "docker"
      config {
        image = "web:1"
      }
    }
  }
}
