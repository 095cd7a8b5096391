# -var inputs=["s3://in/a.csv", "s3://in/b.csv"]
# -var-file settings = { reducers = 2, memory = "512" }
variable "inputs" {
  type = list(string)
}

variable "settings" {
  type = object({
    reducers = number
    memory   = number
    verbose  = optional(bool, false)
  })
}

job "map-reduce" {
  type        = "batch"
  all_at_once = true

  dynamic "group" {
    for_each = var.inputs
    labels   = ["map-${group.key}"]

    content {
      task "map" {
        driver = "exec"

        config {
          command = "/usr/bin/mapper"
          args    = compact(["--in", group.value, var.settings.verbose ? "-v" : ""])
        }

        resources {
          memory = var.settings.memory
        }
      }
    }
  }

  group "reduce" {
    count = var.settings.reducers

    spread {
      attribute = "${node.unique.id}"
      weight    = 100
    }

    task "reduce" {
      driver = "exec"

      config {
        command = "/usr/bin/reducer"
        args    = concat(["--shard", "${NOMAD_ALLOC_INDEX}"], [for p in var.inputs : replace(p, "s3://in/", "/mnt/")])
      }

      env {
        INPUTS = jsonencode(var.inputs)
      }
    }
  }
}
