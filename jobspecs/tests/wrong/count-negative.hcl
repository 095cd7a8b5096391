job "web" {
  group "web" {
    count = -1
    task "web" {
      driver = "docker"
      config {
        image = "web:1"
      }
    }
  }
}
