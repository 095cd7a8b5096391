job "ingress-demo" {
  group "ingress" {
    network {
      mode = "bridge"
      port "inbound" {
        static = 8443
        to     = 8443
      }
    }

    service {
      name = "my-ingress"
      port = "8443"
      kind = "ingress-gateway"

      connect {
        gateway {
          proxy {
            connect_timeout                     = "3s"
            envoy_gateway_bind_tagged_addresses = true
            envoy_gateway_no_default_bind       = true
            envoy_dns_discovery_type            = "LOGICAL_DNS"

            envoy_gateway_bind_addresses "all" {
              address = "0.0.0.0"
              port    = 8443
            }

            config {
              envoy_stats_bind_addr = "0.0.0.0:19000"
            }
          }

          ingress {
            tls {
              enabled         = true
              tls_min_version = "TLSv1_2"
              tls_max_version = "TLSv1_3"
              cipher_suites   = ["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"]
            }

            listener {
              port     = 8443
              protocol = "http"

              service {
                name  = "storefront"
                hosts = ["shop.example.com", "www.example.com"]
              }

              service {
                name  = "blog"
                hosts = ["blog.example.com"]
              }
            }

            listener {
              port = 5000

              service {
                name = "syslog"
              }
            }
          }
        }
      }
    }

    task "idle" {
      driver = "docker"
      config {
        image = "alpine:3.20"
        args  = ["sleep", "infinity"]
      }
    }
  }
}
