job "ledger" {
  vault {
    policies               = ["ledger"]
    role                   = "ledger"
    namespace              = "finance/eu"
    cluster                = "default"
    env                    = false
    disable_file           = true
    change_mode            = "signal"
    change_signal          = "SIGTERM"
    allow_token_expiration = true
  }

  secret "hsm" {
    provider = "hsm-plugin"
    path     = "slot/7"

    config {
      label  = "ledger"
      strict = true
    }

    env {
      PKCS11_LIB = "/usr/lib/pkcs11.so"
    }
  }

  group "a" {
    task "one" {
      driver = "docker"
      config {
        image = "registry.example.com/ledger:1"
      }
    }
  }

  group "b" {
    task "two" {
      driver = "docker"

      consul {
        cluster   = "default"
        namespace = "ledger"
      }

      identity {
        name         = "consul_default"
        aud          = ["consul.io"]
        service_name = "ledger"
        ttl          = "30m"
      }

      config {
        image = "registry.example.com/ledger:1"
      }
    }
  }
}
