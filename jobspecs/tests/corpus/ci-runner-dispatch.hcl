job "ci-runner" {
  type     = "batch"
  priority = 20

  parameterized {
    payload       = "optional"
    meta_required = ["repository", "commit"]
  }

  group "runner" {
    max_run_duration = "1h"

    reschedule {
      attempts  = 0
      unlimited = false
    }

    restart {
      attempts = 0
      mode     = "fail"
    }

    task "clone" {
      driver = "docker"

      lifecycle {
        hook = "prestart"
      }

      config {
        image      = "alpine/git:2.45.2"
        entrypoint = ["/bin/sh"]
        args = ["-ec", <<-SH
          git clone "$NOMAD_META_repository" "$NOMAD_ALLOC_DIR/data/src"
          cd "$NOMAD_ALLOC_DIR/data/src"
          git checkout "$NOMAD_META_commit"
        SH
        ]
      }
    }

    task "build" {
      driver = "docker"

      config {
        image    = "golang:1.23"
        work_dir = "/alloc/data/src"
        command  = "go"
        args     = ["test", "./..."]
      }

      resources {
        cpu        = 2000
        memory     = 2048
        memory_max = 4096
      }
    }
  }
}
