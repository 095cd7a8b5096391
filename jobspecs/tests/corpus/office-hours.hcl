# Runs only while the office is open.
job "report-server" {
  group "reports" {
    task "reports" {
      driver = "docker"

      schedule {
        cron {
          start    = "0 30 8 * * MON-FRI *"
          end      = "0 18"
          timezone = "Europe/Paris"
        }
      }

      config {
        image = "registry.example.com/reports:6"
      }
    }
  }
}
