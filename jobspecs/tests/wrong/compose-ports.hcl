job "web" {
  group "web" {
    task "web" {
      driver = "docker"
      config {
        image = "web:1"
        ports = ["8080:80", 443]
      }
    }
  }
}
