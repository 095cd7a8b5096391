job "web" {
  group "web" {
    count = "three"
    task "web" {
      driver = "docker"
      config {
        image = "web:1"
      }
    }
  }
}
