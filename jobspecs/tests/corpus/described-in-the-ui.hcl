job "wiki" {
  ui {
    description = <<-EOT
      # Wiki

      The *internal* wiki. Ask **platform** before stopping it.
    EOT

    link {
      label = "Runbook"
      url   = "https://wiki.example.com/runbook"
    }

    link {
      label = "Dashboard ${var.dashboard}"
      url   = "https://grafana.example.com/d/${var.dashboard}"
    }
  }

  group "wiki" {
    task "wiki" {
      driver = "docker"
      config {
        image = "requarks/wiki:2.5"
      }
    }
  }
}

variable "dashboard" {
  default = "wiki-1"
}
