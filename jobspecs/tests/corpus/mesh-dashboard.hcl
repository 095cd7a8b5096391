# Two services of a mesh: the dashboard reaches the API through its local proxy.
job "countdash" {
  datacenters = ["dc1"]

  group "api" {
    network {
      mode = "bridge"
    }

    service {
      name = "count-api"
      port = "9001"

      connect {
        sidecar_service {}
      }
    }

    task "web" {
      driver = "docker"
      config {
        image = "hashicorpdev/counter-api:v3"
      }
    }
  }

  group "dashboard" {
    network {
      mode     = "bridge"
      hostname = "dashboard-${NOMAD_ALLOC_INDEX}"

      port "http" {
        static = 9002
        to     = 9002
      }
    }

    service {
      name = "count-dashboard"
      port = "http"

      connect {
        sidecar_service {
          tags                      = ["mesh"]
          port                      = "http"
          disable_default_tcp_check = true

          meta {
            proxied = true
          }

          proxy {
            local_service_address = "127.0.0.1"
            local_service_port    = 9002

            upstreams {
              destination_name = "count-api"
              local_bind_port  = 8080
            }

            upstreams {
              destination_name      = "billing"
              destination_namespace = "finance"
              destination_peer      = "us-west"
              destination_partition = "default"
              destination_type      = "service"
              datacenter            = "dc2"
              local_bind_address    = "127.0.0.2"
              local_bind_port       = 8081

              mesh_gateway {
                mode = "local"
              }

              config {
                connect_timeout_ms = 3000
                protocol           = "http"
              }
            }

            upstreams {
              destination_name       = "cache"
              destination_type       = "prepared_query"
              local_bind_socket_path = "/alloc/cache.sock"
              local_bind_socket_mode = "0660"
            }

            config {
              protocol                 = "http"
              local_connect_timeout_ms = 2500
            }
          }
        }

        sidecar_task {
          name           = "proxy"
          driver         = "docker"
          user           = "101"
          kill_timeout   = "20s"
          kill_signal    = "SIGTERM"
          shutdown_delay = "5s"

          config {
            image = "envoyproxy/envoy:v1.31.2"
            args  = ["-c", "${NOMAD_SECRETS_DIR}/envoy_bootstrap.json", "-l", "${meta.connect.log_level}"]
          }

          env {
            ENVOY_UID = 0
          }

          meta {
            role = "proxy"
          }

          resources {
            cpu    = 150
            memory = 96
          }

          logs {
            max_files     = 2
            max_file_size = 4
          }

          volume_mount {
            volume      = "certs"
            destination = "/certs"
            read_only   = true
          }
        }
      }
    }

    volume "certs" {
      type      = "host"
      source    = "mesh-certs"
      read_only = true
    }

    task "dashboard" {
      driver = "docker"
      env {
        COUNTING_SERVICE_URL = "http://${NOMAD_UPSTREAM_ADDR_count_api}"
      }
      config {
        image = "hashicorpdev/counter-dashboard:v3"
      }
    }
  }
}
