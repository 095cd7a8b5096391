# What is known only on the node stays as it is written.
job "interpolated" {
  datacenters = ["dc1"]

  constraint {
    attribute = "${attr.os.name}"
    operator  = "regexp"
    value     = "^(ubuntu|debian)$"
  }

  spread {
    attribute = "${meta.rack}"
  }

  group "app" {
    network {
      port "http" {}
      port "admin" {
        to = -1
      }
    }

    service {
      name = "app-${NOMAD_ALLOC_INDEX}"
      port = "http"
      tags = ["${node.unique.id}", "dc=${node.datacenter}", "class=${node.class}/${node.pool}"]

      meta {
        kernel  = "${attr.kernel.name}-${attr.kernel.version}"
        address = attr.unique.network.ip-address
      }
    }

    task "app" {
      driver = "exec"

      config {
        command = "${NOMAD_TASK_DIR}/app"
        args = [
          "-listen=${NOMAD_ADDR_http}",
          "-admin=${NOMAD_IP_admin}:${NOMAD_HOST_PORT_admin}",
          "-node=${node.unique.name}",
          "-x=${meta.x}",
          "-memory=${NOMAD_MEMORY_LIMIT}M",
        ]
      }

      artifact {
        source      = "https://dl.example.com/app_${attr.kernel.name}_${attr.cpu.arch}"
        mode        = "file"
        destination = "local/app"
      }

      env {
        ALLOC       = "${NOMAD_ALLOC_ID} of ${NOMAD_JOB_NAME}"
        SHELL_STYLE = "$NOMAD_PORT_http"
        COST        = "5$"
        PERCENT     = "100%"
      }
    }
  }
}
