job "web" {
  group "web" {
    task "web" {
      driver = "docker"
      config {
        image = "web:1"
      }
      kill_signal = "SIGFOO"
      template {
        data          = "x"
        destination   = "local/x"
        change_mode   = "signal"
        change_signal = "SIGHUPP"
      }
      vault {
        change_mode   = "signal"
        change_signal = "HUP"
      }
      identity "aws" {
        change_mode   = "signal"
        change_signal = "9"
      }
    }
    task "side" {
      driver      = "fake"
      kill_signal = "sigtrem"
    }
  }
}
