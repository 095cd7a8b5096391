job "web" {
  group "web" {
    task "web" {
      driver = "docker"
      kill_timeout = "30"
      shutdown_delay = "soon"
      config {
        image = "web:1"
      }
    }
  }
}
