job "web" {
  type = "service"
  periodic {
    cron = "@daily"
  }
  parameterized {}
  group "web" {
    task "web" {
      driver = "fake"
    }
  }
}
