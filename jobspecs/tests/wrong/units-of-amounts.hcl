job "web" {
  group "web" {
    ephemeral_disk {
      size = "10GB"
    }
    task "web" {
      driver = "docker"
      config {
        image = "web:1"
        shm_size = "64m"
      }
      resources {
        cpu        = "2 GHz"
        memory     = "512MB"
        memory_max = "1g"
      }
      logs {
        max_file_size = "10M"
      }
    }
  }
}
