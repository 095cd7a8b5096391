job "web" {
  group "web" {
    ephemeral_disk {
      size = 50
    }
    task "web" {
      driver = "docker"
      config {
        image = "web:1"
      }
    }
  }
}
