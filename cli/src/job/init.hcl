# A jobspec: what runs, how often, where, and what happens when something goes wrong.
#
#   sched job plan example.nomad.hcl      what running it would change
#   sched job run example.nomad.hcl       run it, and follow until it is healthy
#   sched job spec group.task             what else may stand in a block
#
# The label is the job's id, unique in its namespace.
job "example" {
  # A service runs until it is stopped. Others: batch (runs to its end), system (once on each node), sysbatch.
  type = "service"

  # A group is what runs together on one node; count says how many times.
  group "web" {
    count = 2

    # Instances prefer nodes that have none yet.
    spread {
      attribute = "${node.unique.name}"
    }

    # A port without `static` gets a free number on the node. `to` is where the program listens in its container.
    network {
      port "http" {
        to = 80
      }
    }

    # Others find the healthy instances by this name: in DNS example-web.service.sched, in HTTP /v1/service/example-web.
    service {
      name     = "example-web"
      port     = "http"
      provider = "nomad"

      check {
        type     = "http"
        path     = "/"
        interval = "10s"
        timeout  = "2s"
      }
    }

    # A new version replaces one instance at a time, and each must be healthy before the next one's turn. If one is not
    # in time, the job goes back to the last version that worked.
    update {
      max_parallel     = 1
      min_healthy_time = "10s"
      healthy_deadline = "5m"
      auto_revert      = true
    }

    # What ends is started again on its node, twice in half an hour; then it is placed anew, as a rule elsewhere.
    restart {
      attempts = 2
      interval = "30m"
      delay    = "15s"
      mode     = "fail"
    }

    # A task is one container.
    task "server" {
      driver = "docker"

      config {
        image = "nginx:1.27"
        ports = ["http"]
      }

      # Environment variables. NOMAD_… ones are there by themselves: NOMAD_PORT_http, NOMAD_ALLOC_ID, …
      env {
        GREETING = "hello from ${NOMAD_ALLOC_NAME}"
      }

      # CPU in MHz and memory in MiB are reserved on the node. What uses more memory than its limit is killed, and that is
      # told apart from a crash; `memory_max` lets it use more than it reserves.
      resources {
        cpu    = 100
        memory = 128
      }
    }
  }
}
