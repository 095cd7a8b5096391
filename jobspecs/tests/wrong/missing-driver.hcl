job "web" {
  group "web" {
    task "web" {
      config {
        image = "web:1"
      }
    }
  }
}
