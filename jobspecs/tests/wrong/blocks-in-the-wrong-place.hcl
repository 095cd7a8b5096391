datacenters = ["dc1"]
task "web" {
  driver = "fake"
}
job "web" {
  driver = "docker"
  count  = 3
  network {
    port "http" {}
  }
  group "web" {
    image = "web:1"
    port "http" {}
    env {
      MODE = "production"
    }
    resources {
      memory = 64
    }
    task "web" {
      driver   = "fake"
      group    = "web"
      interval = "10s"
      check {
        type = "tcp"
      }
      network {
        port "http" {}
      }
    }
  }
}
