job "web" {
  group "web" {
    task "a" {
      driver = "docker"
      config {
        image  = "web:1"
        labels = "team"
        mount {
          type   = "bnd"
          traget = "/data"
          bind_options {
            propagation = "rslave"
            mode        = "rw"
          }
        }
        logging {
          type = "journald"
        }
        logging {
          type = "syslog"
        }
        auth = "secret"
      }
    }
    task "b" {
      driver = "exec"
      config {
        comand = "/bin/web"
      }
    }
    task "c" {
      driver = "java"
      config {
        jvm_options = "-Xmx1g"
      }
    }
  }
}
