job "web" {
  consul_token = "x"
  group "web" {
    network {
      mbits = 10
      port "http" {}
    }
    task "web" {
      driver = "fake"
    }
  }
}
