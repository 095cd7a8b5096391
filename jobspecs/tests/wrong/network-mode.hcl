job "web" {
  group "web" {
    network {
      mode = "brigde"
    }
    service {
      name     = "web"
      port     = "80"
      provider = "nomad"
      check {
        type     = "grpc"
        interval = "10s"
        timeout  = "2s"
      }
      check {
        type     = "script"
        interval = "10s"
        timeout  = "2s"
      }
    }
    task "web" {
      driver = "fake"
    }
  }
}
