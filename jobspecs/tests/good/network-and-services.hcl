job "net" {
  group "g" {
    shutdown_delay = "2s"
    network {
      mode     = "bridge"
      hostname = "net"
      port "http" {
        to = 8080
      }
      port "metrics" {
        static = 9100
        to     = -1
      }
      dns {
        servers  = ["1.1.1.1"]
        searches = ["example"]
        options  = ["ndots:2"]
      }
    }
    service {
      port     = "http"
      provider = "nomad"
      task     = "main"
      tags     = ["a", "b"]
      meta {
        key = "value"
      }
      on_update = "ignore_warnings"
      check {
        name     = "alive"
        type     = "http"
        path     = "/health"
        method   = "POST"
        body     = "x"
        port     = "metrics"
        interval = "10s"
        timeout  = "2s"
        header {
          Accept = ["text/plain", "text/html"]
          Host   = "x"
        }
        success_before_passing   = 2
        failures_before_critical = 3
        check_restart {
          limit = 3
          grace = "30s"
        }
      }
    }
    task "main" {
      driver       = "docker"
      leader       = true
      user         = "1000"
      kill_timeout = "10s"
      kill_signal  = "SIGQUIT"
      config {
        image = "x:1"
      }
      service {
        name = "${JOB}-admin"
        port = "metrics"
      }
      logs {
        max_files     = 2
        max_file_size = 5
      }
    }
    task "init" {
      driver = "docker"
      lifecycle {
        hook = "prestart"
      }
      config {
        image = "x:1"
      }
    }
  }
}
