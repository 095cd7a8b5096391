job "shop" {
  type = "service"

  multiregion {
    strategy {
      max_parallel = 1
      on_failure   = "fail_all"
    }

    region "west" {
      count       = 2
      datacenters = ["west-1", "west-2"]
      node_pool   = "shop"

      meta {
        currency = "USD"
      }
    }

    region "east" {
      count       = 5
      datacenters = ["east-1"]

      meta = {
        currency = "EUR"
      }
    }
  }

  group "shop" {
    task "shop" {
      driver = "docker"
      config {
        image = "registry.example.com/shop:3"
      }
      env {
        REGION   = "${NOMAD_REGION}"
        CURRENCY = "${NOMAD_META_currency}"
      }
    }
  }
}
