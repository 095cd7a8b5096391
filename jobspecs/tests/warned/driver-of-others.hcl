job "web" {
  group "web" {
    network {
      mode = "cni/office"
    }
    task "web" {
      driver = "podman"
      config {
        image = "web:1"
      }
      resources {
        memory_max = -1
      }
    }
  }
}
