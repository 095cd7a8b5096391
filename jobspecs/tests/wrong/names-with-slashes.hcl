job "web" {
  group "front/web" {
    task "alloc" {
      driver = "fake"
    }
    task "a\\b" {
      driver = "fake"
    }
    task "" {
      driver = "fake"
    }
  }
  group "" {
    task "web" {
      driver = "fake"
    }
  }
}
