job "web" {
  group "web" {
    max_client_disconnect        = "6h"
    prevent_reschedule_on_lost   = true
    task "web" {
      driver = "fake"
    }
  }
  group "batch" {
    stop_after_client_disconnect = "5m"
    task "web" {
      driver = "fake"
    }
  }
}
