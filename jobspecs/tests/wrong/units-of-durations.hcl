job "web" {
  group "web" {
    shutdown_delay = "1 second"
    update {
      min_healthy_time  = "1 day"
      healthy_deadline  = "7d"
      progress_deadline = "10 min"
    }
    restart {
      delay    = "-5s"
      interval = "1min"
    }
    task "web" {
      driver = "docker"
      config {
        image = "web:1"
      }
      kill_timeout = "30 seconds"
      shutdown_delay = -5
    }
  }
}
