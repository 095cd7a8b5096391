job "mesh-gateways" {
  type = "system"

  group "gateway" {
    network {
      mode = "bridge"
      port "mesh_wan" {
        host_network = "public"
        to           = 8443
      }
    }

    service {
      name = "mesh-gateway"
      port = "mesh_wan"

      tagged_addresses {
        lan = "10.1.0.5"
        wan = "203.0.113.7"
      }

      connect {
        gateway {
          proxy {
            connect_timeout = "10s"
          }
          mesh {}
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
