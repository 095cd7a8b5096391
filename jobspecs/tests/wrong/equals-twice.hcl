job "web" {
  group "web" {
    count == 2
    task "web" {
      driver = "docker"
      config {
        image = "web:1"
      }
    }
  }
}
