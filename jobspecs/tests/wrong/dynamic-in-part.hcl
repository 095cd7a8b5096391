job "web" {
  group "web" {
    dynamic "service" {
      for_each = ["a"]
      name     = service.value
    }
    dynamic {
      for_each = ["a"]
      content {}
    }
    dynamic "service" {
      for_each = ["a"]
      iterator = "each"
      content {
        name = each.value
      }
    }
    dynamic "service" {
      for_each = 3
      content {}
    }
    dynamic "service" {
      for_each = ["a"]
      content {
        name = servcie.value
        port = service.vlaue
      }
    }
    dynamic "srevice" {
      for_each = ["a"]
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
