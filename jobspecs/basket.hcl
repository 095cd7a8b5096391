# Three instances of the demo service, spread over the nodes, found by name, and rolled out by health.
#
#   sched job run jobspecs/basket.hcl
#
# The label is the job's id. It is unique in its namespace, and what you type in every command.
job "basket" {
  # A service runs until it is stopped; what ends is started again. (The others: batch, system.)
  type = "service"

  # A group is what runs together on one node. `count` says how many times.
  group "basket" {
    count = 3

    # Prefer nodes that have no instance yet. ${node.…} is filled in by the scheduler, for each node.
    spread {
      attribute = "${node.unique.name}"
    }

    # A port without `static` gets a free number on the node. `to` is where the program listens inside its container.
    network {
      port "http" {
        to = 8080
      }
    }

    # The name under which others find the instances: in DNS basket.service.sched, in HTTP /v1/service/basket.
    # Only instances whose checks pass are in it.
    service {
      name = "basket"
      port = "http"
      tags = ["demo", "shop"]

      check {
        type     = "http"
        path     = "/health"
        interval = "1s"
        timeout  = "1s"
      }
    }

    # A task that ends is restarted on its node, up to twice a minute; after that the instance has failed …
    restart {
      attempts = 2
      interval = "1m"
      delay    = "1s"
      mode     = "fail"
    }

    # … and is placed anew, as a rule on another node, with a growing wait.
    reschedule {
      delay          = "5s"
      delay_function = "exponential"
      max_delay      = "1m"
      unlimited      = true
    }

    # A new version replaces one instance at a time. Each must be healthy for 2 s before the next one's turn; if one
    # is not within 30 s, the job goes back to the last version that worked.
    update {
      max_parallel      = 1
      min_healthy_time  = "2s"
      healthy_deadline  = "30s"
      progress_deadline = "60s"
      auto_revert       = true
    }

    # A drain of a node moves one instance at a time: the replacement is healthy before the old one stops.
    migrate {
      max_parallel     = 1
      min_healthy_time = "2s"
      healthy_deadline = "30s"
    }

    task "basket" {
      driver = "docker"

      config {
        # Built by `make demo`. An image with a tag other than `latest` is pulled only if the node lacks it.
        image = "basket:demo"
        # The group's ports that this task listens on.
        ports = ["http"]
      }

      env {
        VERSION = "1"
        # The port inside the container; NOMAD_PORT_http is the same number, and NOMAD_HOST_PORT_http the node's.
        PORT = "8080"
      }

      resources {
        cpu = 50
        # What the scheduler reserves, and the limit that the kernel enforces, in MiB.
        memory     = 64
        memory_max = 128
      }
    }
  }
}
