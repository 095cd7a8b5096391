# Dumps the databases at night and, in addition, at noon on workdays.
job "backup" {
  type = "batch"

  periodic {
    crons            = ["15 2 * * *", "0 12 * * MON-FRI"]
    prohibit_overlap = true
    time_zone        = "Europe/Berlin"
    enabled          = true
  }

  reschedule {
    attempts       = 2
    interval       = "12h"
    delay          = "1m"
    delay_function = "fibonacci"
    max_delay      = "30m"
    unlimited      = false
  }

  group "dump" {
    restart {
      attempts = 1
      interval = "1h"
      delay    = "30s"
      mode     = "fail"
    }

    task "pg_dump" {
      driver = "exec"

      config {
        command = "/bin/bash"
        args    = ["local/dump.sh"]
      }

      template {
        data = <<-EOT
          #!/bin/bash
          set -euo pipefail
          {{ range nomadService "postgres" -}}
          pg_dump -h {{ .Address }} -p {{ .Port }} shop | gzip > "$${NOMAD_TASK_DIR}/shop.sql.gz"
          {{ end -}}
          aws s3 cp "$${NOMAD_TASK_DIR}/shop.sql.gz" "s3://backups/$(date +%F).sql.gz"
        EOT
        destination          = "local/dump.sh"
        perms                = "0755"
        change_mode          = "noop"
        once                 = true
        error_on_missing_key = true
      }

      resources {
        cpu    = 250
        memory = 256
      }
    }
  }
}
