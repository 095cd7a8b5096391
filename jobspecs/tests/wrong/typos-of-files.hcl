job "web" {
  group "web" {
    volume "data" {
      tpye      = "host"
      source    = "disk"
      readonly  = true
    }
    task "web" {
      driver = "docker"
      config {
        image = "web:1"
      }
      template {
        data        = "x"
        destnation  = "local/x"
        change_mod  = "restart"
      }
      artifact {
        sorce  = "https://example.com/x"
        option {
          checksum = "md5:x"
        }
      }
      volume_mount {
        volume      = "data"
        destinaton  = "/data"
        read_onyl   = true
      }
      lifecycle {
        hook    = "pre-start"
        sidcar  = true
      }
      logs {
        max_file      = 3
        max_file_size = 5
      }
    }
  }
}
