# Where instances may run, and where they should: constraints leave nodes out, affinities prefer some.
#
# Facts about nodes: ${attr.…} is what the agent found (kernel.name, cpu.arch, driver.docker.version …),
# ${meta.…} what the operator wrote into the agent's configuration, ${node.…} what every node has.
variable "kernel" {
  type    = string
  default = "linux"
}

job "constrained" {
  datacenters = ["*"]

  # Every group of the job keeps to this. A node that does not meet it is left out, and `job why` says so.
  constraint {
    attribute = "${attr.kernel.name}"
    value     = var.kernel
  }

  group "constrained" {
    count = 2

    # No two instances on one node.
    constraint {
      distinct_hosts = true
    }

    # Short for operator = "regexp".
    constraint {
      attribute = "${node.unique.name}"
      regexp    = "^[a-z0-9.-]+$"
    }

    # A missing value is not equal to anything: nodes without `retired` meet this.
    constraint {
      attribute = "${meta.retired}"
      operator  = "!="
      value     = "true"
    }

    # Nodes with rack = a1 are better by 60 of 100; others are used if these are full.
    affinity {
      attribute = "${meta.rack}"
      value     = "a1"
      weight    = 60
    }

    # A weight below zero keeps away.
    affinity {
      attribute = "${attr.cpu.numcores}"
      operator  = "<"
      value     = "2"
      weight    = -20
    }

    update {
      min_healthy_time  = "2s"
      healthy_deadline  = "30s"
      progress_deadline = "60s"
    }

    task "basket" {
      driver = "docker"

      config {
        image = "basket:demo"
      }

      resources {
        cpu    = 20
        memory = 32
      }
    }
  }
}
