# Every key of the docker driver that is about the network.
job "resolver" {
  datacenters = ["lab"]

  group "dns" {
    network {
      mode = "bridge"
      port "dns" {
        static = 53
        to     = 5353
      }
    }

    task "unbound" {
      driver = "docker"

      config {
        image                     = "registry.example.com/unbound:1.21"
        network_mode              = "lab-net"
        network_aliases           = ["dns", "resolver"]
        ipv4_address              = "172.30.0.53"
        ipv6_address              = "2001:db8:30::53"
        mac_address               = "02:42:ac:1e:00:35"
        advertise_ipv6_address    = true
        hostname                  = "dns-${NOMAD_ALLOC_INDEX}"
        dns_servers               = ["9.9.9.9", "149.112.112.112"]
        dns_search_domains        = ["lab.example.com"]
        dns_options               = ["ndots:1", "rotate"]
        extra_hosts               = ["gateway:172.30.0.1", "six:[2001:db8::1]"]
        ports                     = ["dns"]
        force_pull                = true
        image_pull_timeout        = "15m"
        auth_soft_fail            = true
        container_exists_attempts = 10

        auth {
          username       = "robot"
          password       = "s3cr3t"
          email          = "robot@example.com"
          server_address = "registry.example.com"
        }

        logging {
          driver = "syslog"

          config {
            syslog-address = "udp://10.0.0.9:514"
            tag            = "unbound"
          }
        }
      }
    }
  }
}
