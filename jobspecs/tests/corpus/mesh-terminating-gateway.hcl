job "terminating-demo" {
  group "gateway" {
    network {
      mode = "bridge"
    }

    service {
      name = "api-gateway"

      connect {
        gateway {
          proxy {}

          terminating {
            service {
              name = "count-api"
            }
            service {
              name      = "legacy-db"
              ca_file   = "/etc/ssl/ca.pem"
              cert_file = "/etc/ssl/client.pem"
              key_file  = "/etc/ssl/client.key"
              sni       = "db.internal.example.com"
            }
          }
        }
      }
    }

    task "idle" {
      driver = "docker"
      config {
        image   = "alpine:3.20"
        command = "sleep"
        args    = ["infinity"]
      }
    }
  }
}
