job "web" {
  periodic {
    cron = "@daily"
  }
  parameterized {
    payload = "none"
  }
  group "web" {
    max_run_duration = "1h"
    task "web" {
      driver = "fake"
    }
  }
}
