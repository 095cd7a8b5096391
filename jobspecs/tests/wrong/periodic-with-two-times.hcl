job "report" {
  type = "batch"
  periodic {
    cron  = "@daily"
    crons = ["@hourly", "0 12 * * *"]
  }
  group "report" {
    task "report" {
      driver = "fake"
    }
  }
}
