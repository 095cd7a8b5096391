# The edge proxy on every node of the pool; routes come from the tags of the other services.
job "traefik" {
  region      = "europe"
  namespace   = "platform"
  datacenters = ["*"]
  node_pool   = "edge"
  type        = "system"

  group "traefik" {
    network {
      mode = "host"

      port "http" {
        static       = 80
        host_network = "public"
      }
      port "https" {
        static       = 443
        host_network = "public"
      }
      port "admin" {
        static = 8081
      }
    }

    service {
      name                = "traefik"
      port                = "http"
      address_mode        = "host"
      enable_tag_override = true

      tags = [
        "traefik.enable=true",
        "traefik.http.routers.dashboard.rule=Host(`traefik.example.com`)",
        "traefik.http.routers.dashboard.service=api@internal",
      ]

      canary_tags = ["traefik.enable=false"]

      meta {
        version = "3.1"
      }

      canary_meta {
        version = "3.2-rc1"
      }

      weights {
        passing = 10
        warning = 1
      }

      check {
        name      = "ping"
        type      = "http"
        port      = "admin"
        path      = "/ping"
        interval  = "5s"
        timeout   = "1s"
        on_update = "ignore_warnings"
      }
    }

    task "traefik" {
      driver = "docker"

      config {
        image        = "traefik:v3.1.4"
        network_mode = "host"
        ports        = ["http", "https", "admin"]
        volumes      = ["local/traefik.toml:/etc/traefik/traefik.toml:ro"]
      }

      template {
        destination = "local/traefik.toml"
        data = <<EOF
[entryPoints]
  [entryPoints.web]
    address = ":{{ env "NOMAD_PORT_http" }}"
  [entryPoints.websecure]
    address = ":{{ env "NOMAD_PORT_https" }}"

[ping]

[providers.consulCatalog]
  prefix           = "traefik"
  exposedByDefault = false
EOF
      }

      resources {
        cpu    = 200
        memory = 128
      }
    }
  }
}
