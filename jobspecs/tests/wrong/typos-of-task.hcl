job "web" {
  group "web" {
    task "web" {
      drivr       = "docker"
      kil_timeout = "30s"
      usr         = "nobody"
      confg {
        image = "web:1"
      }
      resorces {
        memory = 64
      }
      enviroment {
        MODE = "production"
      }
      log {
        max_files = 3
      }
      tempalte {
        data        = "x"
        destination = "local/x"
      }
      artefact {
        source = "https://example.com/x"
      }
      volume_mounts {
        volume = "data"
      }
    }
  }
}
