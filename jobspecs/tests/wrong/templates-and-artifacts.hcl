job "web" {
  group "web" {
    task "web" {
      driver = "fake"
      template {
        destination = "local/a"
      }
      template {
        data   = "x"
        source = "local/x.tpl"
        perms  = "rw-r--r--"
      }
      template {
        data        = "x"
        destination = "local/b"
        change_mode = "script"
        wait {
          min = "1m"
          max = "10s"
        }
      }
      template {
        data        = "x"
        destination = "local/c"
        change_mode = "noop"
        change_script {
          command = "/bin/reload"
        }
      }
      artifact {
        destination = "../elsewhere"
      }
    }
  }
}
