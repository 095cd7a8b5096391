job "report" {
  type = "batch"
  periodic {
    cron      = "every day"
    time_zone = "Central European"
  }
  group "report" {
    task "report" {
      driver = "fake"
      schedule {
        cron {
          start = "9"
          end   = "0 17"
        }
      }
    }
  }
}
