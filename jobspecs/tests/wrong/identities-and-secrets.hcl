job "web" {
  group "web" {
    task "web" {
      driver = "fake"
      identity {
        ttl = "1h"
      }
      identity {
        env = true
      }
      identity "aws" {
        change_mode = "signal"
      }
      identity "aws" {
        change_signal = "SIGHUP"
      }
      vault {
        change_mode = "reload"
      }
      secret "key" {
        path = "kv/key"
      }
      secret "key" {
        provider = "nomad"
      }
      action "reload" {}
    }
  }
}
