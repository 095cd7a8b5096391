# A batch job: many small pieces of work, packed onto as few nodes as hold them, each run once to its end.
#
#   sched job run -var pieces=20 jobspecs/pack.hcl
variable "pieces" {
  type        = number
  default     = 6
  description = "How many instances are run."

  validation {
    condition     = var.pieces >= 1 && var.pieces <= 1000
    error_message = "run 1 to 1000 pieces."
  }
}

job "pack" {
  # An instance of a batch job that ends with code 0 has done its work, and is not started again.
  type = "batch"

  group "piece" {
    count = var.pieces

    # A piece that fails is tried once more at once, then on another node.
    restart {
      attempts = 1
      interval = "1m"
      delay    = "1s"
    }

    reschedule {
      attempts       = 1
      interval       = "10m"
      delay          = "5s"
      delay_function = "constant"
      unlimited      = false
    }

    # Disk is counted against the node as well. Logs must fit into it.
    ephemeral_disk {
      size = 20
    }

    task "piece" {
      driver = "docker"

      config {
        image = "basket:demo"
        # Prints a line and ends. NOMAD_ALLOC_INDEX tells the pieces apart.
        args = ["--once"]
      }

      logs {
        max_files     = 2
        max_file_size = 1
      }

      resources {
        cpu    = 20
        memory = 16
      }
    }
  }
}
