job "web" {
  group "web" {
    task "web" {
      drivr = "docker"
      config {
        image = "web:1"
      }
    }
  }
}
