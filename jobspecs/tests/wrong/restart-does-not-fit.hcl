job "web" {
  group "web" {
    restart {
      attempts = 10
      delay = "1m"
      interval = "5m"
    }
    task "web" {
      driver = "docker"
      config {
        image = "web:1"
      }
    }
  }
}
