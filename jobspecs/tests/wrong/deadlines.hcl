job "web" {
  group "web" {
    update {
      min_healthy_time = "5m"
      healthy_deadline = "5m"
      progress_deadline = "4m"
      auto_promote = true
    }
    task "web" {
      driver = "docker"
      config {
        image = "web:1"
      }
    }
  }
}
