job "web" {
  group "web" {
    task "a" {
      driver = "fake"
      leader = true
    }
    task "b" {
      driver = "fake"
      leader = true
    }
    task "web" {
      driver = "docker"
      config {
        image = "web:1"
      }
    }
  }
}
