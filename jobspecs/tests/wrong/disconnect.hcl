job "web" {
  group "web" {
    disconnect {
      lost_after           = "6h"
      stop_on_client_after = "5m"
    }
    task "web" {
      driver = "docker"
      config {
        image = "web:1"
      }
    }
  }
}
