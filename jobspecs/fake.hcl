# The fake driver runs nothing: it waits, ends and fails as it is told. For trying out rules, and for tests.
# It is there only where an agent's configuration allows it.
locals {
  # How the groups differ: for how long a task runs, and with which code it ends. Try exit_code = 1.
  kinds = {
    quick = { run_for = "1s", exit_code = 0 }
    slow  = { run_for = "4s", exit_code = 0 }
  }
}

job "fake" {
  type = "batch"

  # One group for each entry of local.kinds; `each` is the entry.
  dynamic "group" {
    for_each = local.kinds
    iterator = each
    labels   = [each.key]

    content {
      restart {
        attempts = 1
        interval = "1m"
        delay    = "1s"
      }

      task "fake" {
        driver = "fake"

        config {
          run_for   = each.value.run_for
          exit_code = each.value.exit_code
        }

        resources {
          cpu    = 10
          memory = 10
        }
      }
    }
  }
}
