# A system job: one instance on each eligible node, also on those that join later.
job "node-basket" {
  type = "system"

  group "node-basket" {
    network {
      port "http" {
        to = 8080
      }
    }

    service {
      name = "node-basket"
      port = "http"

      check {
        type     = "tcp"
        interval = "2s"
        timeout  = "1s"
      }
    }

    task "basket" {
      driver = "docker"

      config {
        image = "basket:demo"
        ports = ["http"]
      }

      env {
        PORT = "8080"
        # Filled in on each node.
        WHERE = "${node.unique.name} in ${node.datacenter}"
      }

      resources {
        cpu    = 20
        memory = 32
      }
    }
  }
}
