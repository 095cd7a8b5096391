job "web" {
  group "web" {
    /* the counter
    count = 2
    task "web" {
      driver = "docker"
      config {
        image = "web:1"
      }
    }
  }
}
