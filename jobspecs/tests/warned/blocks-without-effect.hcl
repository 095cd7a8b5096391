job "web" {
  ui {
    description = "the web"
  }
  group "web" {
    scaling {
      max = 3
    }
    task "web" {
      driver = "fake"
      template {
        data        = "x"
        destination = "local/x"
      }
    }
  }
}
