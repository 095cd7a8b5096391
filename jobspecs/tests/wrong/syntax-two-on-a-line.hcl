job "web" {
  group "web" {
    task "web" {
      driver = "docker" user = "root"
      config {
        image = "web:1"
      }
    }
  }
}
