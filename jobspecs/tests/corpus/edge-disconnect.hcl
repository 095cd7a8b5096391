job "point-of-sale" {
  node_pool = "stores"

  group "till" {
    disconnect {
      lost_after = "12h"
      replace    = false
      reconcile  = "keep_original"
    }

    reschedule {
      delay          = "1m"
      delay_function = "constant"
      unlimited      = true
    }

    task "till" {
      driver = "docker"
      config {
        image = "registry.example.com/till:11"
      }
    }
  }

  group "printer" {
    disconnect {
      stop_on_client_after = "30m"
      reconcile            = "longest_running"
    }

    task "printer" {
      driver = "docker"
      config {
        image = "registry.example.com/printer:2"
      }
    }
  }
}
