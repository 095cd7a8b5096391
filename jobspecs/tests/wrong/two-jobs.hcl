job "web" {
  group "web" {
    task "web" {
      driver = "docker"
      config {
        image = "web:1"
      }
    }
  }
}
job "other" {
  group "other" {
    task "other" {
      driver = "docker"
      config {
        image = "web:1"
      }
    }
  }
}
