job "web" {
  group "web" {
    task "web" {
      driver = "docker"
      lifecycle {
        hook = "prestart"
      }
      config {
        image = "web:1"
      }
    }
  }
}
