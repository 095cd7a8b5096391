job "web" {
  group "web" {
    task "web" {
      driver = "dokcer"
      config {
        image = "web:1"
      }
    }
  }
}
