job "web" {
  group "we[31mb/x" {
    task "web" {
      driver = "docker"
      config {
        image = "web:1"
      }
    }
  }
}
