# Metrics of the machine itself, so not in a container. The binary is fetched and checked.
job "node-exporter" {
  type      = "system"
  node_pool = "all"
  priority  = 95

  update {
    max_parallel     = 1
    canary           = 20
    min_healthy_time = "5s"
    auto_revert      = true
  }

  group "exporter" {
    network {
      port "metrics" {
        static           = 9100
        ignore_collision = true
      }
    }

    task "node-exporter" {
      driver = "raw_exec"

      constraint {
        attribute = "${attr.cpu.arch}"
        operator  = "set_contains_any"
        value     = "amd64,arm64"
      }

      artifact {
        source      = "https://github.com/prometheus/node_exporter/releases/download/v1.8.2/node_exporter-1.8.2.linux-${attr.cpu.arch}.tar.gz"
        destination = "local/bin"
        options {
          archive  = "tar.gz"
          checksum = "sha256:6809dd0b3ec45fd6e992c19071d6b5253aed3ead7bf0686885a51d85c6643c66"
        }
      }

      config {
        command = "local/bin/node_exporter"
        args = [
          "--web.listen-address=:${NOMAD_PORT_metrics}",
          "--collector.systemd",
        ]
        oom_score_adj      = 500
        work_dir           = "/var/tmp"
        denied_envvars     = ["AWS_*", "VAULT_TOKEN"]
        cgroup_v2_override = "monitoring.slice/exporter.scope"
      }

      service {
        name = "${JOB}-${TASK}"
        port = "metrics"
        tags = ["prometheus"]
      }

      resources {
        cpu    = 50
        memory = 32
      }
    }
  }
}
