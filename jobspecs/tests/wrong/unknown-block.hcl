job "web" {
  group "web" {
    netwrok {}
    task "web" {
      driver = "docker"
      config {
        image = "web:1"
      }
    }
  }
}
