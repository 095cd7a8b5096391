job "web" {
  group "web" {
    shutdown_delay = 10
    task "web" {
      driver       = "fake"
      kill_timeout = 30
    }
  }
}
