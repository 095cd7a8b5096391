job "web" {
  group "web" {
    dynamic "service" {
      for_each = "x"
      content {}
    }
    dynamic "service" {
      for_each = ["a", "b"]
      content {
        nme = service.value
      }
    }
    dynamic "service" {
      content {}
    }
    task "web" {
      driver = "docker"
      config {
        image = "web:1"
      }
    }
  }
}
