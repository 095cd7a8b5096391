job "web" {
  group "web" {
    task "web" "two" {
      driver = "docker"
      config {
        image = "web:1"
      }
    }
  }
}
