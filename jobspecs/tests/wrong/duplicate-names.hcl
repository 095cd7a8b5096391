job "web" {
  group "a" {
    task "x" {
      driver = "fake"
    }
    task "x" {
      driver = "fake"
    }
    service {
      name = "web"
    }
    service {
      name = "web"
    }
    network {
      port "http" {}
      port "http" {
        static = 80
      }
      port "other" {
        static = 80
      }
    }
  }
  group "a" {
    task "x" {
      driver = "fake"
    }
  }
}
