job "hourly-report" {
  type = "batch"

  periodic {
    cron    = "0 8-18 * * 1-5"
    enabled = false
  }

  group "report" {
    task "report" {
      driver = "docker"

      config {
        image   = "registry.example.com/report:${attr.cpu.arch}"
        command = "report"
        args    = ["--to", "team@example.com"]
      }

      meta {
        purpose = "report"
      }
    }
  }
}
