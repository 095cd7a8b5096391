# Attributes that newer releases replaced by the disconnect block.
job "edge-legacy" {
  group "a" {
    stop_after_client_disconnect = "1h"

    network {
      mbits = 20
    }

    task "a" {
      driver = "exec"
      config {
        command = "/bin/sleep"
        args    = ["1d"]
      }
    }
  }

  group "b" {
    max_client_disconnect      = "6h"
    prevent_reschedule_on_lost = true

    task "b" {
      driver = "exec"
      config {
        command = "/bin/sleep"
        args    = ["1d"]
      }
    }
  }
}
