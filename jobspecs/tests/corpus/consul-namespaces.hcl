job "geo" {
  consul_token = "5bb1ed1b-1e8a-4a3b-9f38-95b2e5bd0e5a"
  vault_token  = "hvs.CAESIJ"

  group "geo" {
    consul {
      namespace = "maps"
      cluster   = "default"
      partition = "eu"
    }

    service {
      name      = "geo"
      port      = "8080"
      address   = "geo.lb.example.com"
      on_update = "ignore"

      check {
        name            = "grpc"
        type            = "grpc"
        grpc_service    = "geo.v1.Lookup"
        grpc_use_tls    = true
        tls_server_name = "geo.example.com"
        tls_skip_verify = true
        port            = "8081"
        interval        = "10s"
        timeout         = "2s"
        initial_status  = "passing"
        notes           = "asks the health service"
      }

      check {
        type         = "http"
        protocol     = "https"
        method       = "POST"
        path         = "/check"
        body         = "{\"deep\": true}"
        address_mode = "host"
        advertise    = "geo.example.com"
        interval     = "1m"
        timeout      = "10s"

        header {
          Authorization = ["Basic ZWxhc3RpYzpjaGFuZ2VtZQ=="]
          X-Trace       = ["a", "b"]
        }
      }
    }

    task "geo" {
      driver = "docker"

      consul {
        namespace = "maps-write"
        partition = "us"
      }

      config {
        image = "registry.example.com/geo:0.7"
      }

      template {
        destination = "local/flags.json"
        data        = "{{ keyOrDefault \"geo/flags\" \"{}\" }}"
      }
    }
  }
}
