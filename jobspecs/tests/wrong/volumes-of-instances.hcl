job "db" {
  group "db" {
    count = 3
    update {
      canary = 1
    }
    volume "data" {
      type      = "host"
      source    = "disk"
      per_alloc = true
    }
    volume "logs" {
      type      = "host"
      source    = "logs"
      per_alloc = true
      sticky    = true
    }
    task "db" {
      driver = "fake"
    }
  }
}
