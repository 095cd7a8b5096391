job "web" {
  group "web" {
    task "web" {
      driver = "docker"
      config { image = "web:1"
      resources {
        cpu = 100
      }
    }
  }
}
