job "web" {
  group "web" {
    network {
      port "http" {}

    service {
      name = "web"
      port = "http"
    }
    task "web" {
      driver = "fake"
    }
  }
}
