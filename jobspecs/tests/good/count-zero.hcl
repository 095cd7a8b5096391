job "web" {
  group "web" {
    count = 0
    task "web" {
      driver = "docker"
      config {
        image = "web:1"
      }
    }
  }
}
