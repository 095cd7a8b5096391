job "web" {
  datacenters = ["dc1"]
  group "web" {
    task "web" {
      driver = "docker"
      config {
        image = "web:1"
        port_map {
          http = 8080
        }
      }
      resources {
        cpu    = 500
        memory = 256
        iops   = 100
        network {
          mbits = 10
          port "http" {}
        }
      }
    }
  }
}
