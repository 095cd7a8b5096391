job "tproxy" {
  group "app" {
    network {
      mode = "bridge"
      port "http" {
        to = 9001
      }
    }

    service {
      name = "tproxy-app"
      port = "9001"

      connect {
        sidecar_service {
          proxy {
            transparent_proxy {
              uid                    = "101"
              outbound_port          = 15001
              exclude_inbound_ports  = ["http", "9100"]
              exclude_outbound_ports = [53, 8125]
              exclude_outbound_cidrs = ["10.0.0.0/8", "169.254.169.254/32"]
              exclude_uids           = ["1000", "1001"]
              no_dns                 = true
            }
          }
        }
      }
    }

    task "app" {
      driver = "docker"
      config {
        image = "registry.example.com/app:2.2"
        ports = ["http"]
      }
    }
  }
}
