job "web" {
  group "web" {
    count = -1

    task "app" {
      driver = "docker"

      resources {
        memry = 64
      }
    }
  }
}
