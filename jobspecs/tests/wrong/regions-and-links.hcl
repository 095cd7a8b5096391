job "web" {
  multiregion {
    region "west" {}
    region "west" {
      count = 2
    }
  }
  ui {
    link {
      label = "Docs"
    }
  }
  group "web" {
    task "web" {
      driver = "fake"
    }
  }
}
