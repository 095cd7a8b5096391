job "web" {
  group "web" {
    task "web" {
      driver = “dokcer”
      config {
        imge = “web:1”
      }
    }
  }
}
