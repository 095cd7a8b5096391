job "prometheus" {
  group "monitoring" {
    volume "tsdb" {
      type      = "host"
      source    = "prometheus"
      read_only = false
    }

    network {
      port "ui" {
        static = 9090
      }
    }

    service {
      port     = "ui"
      provider = "nomad"
      tags     = ["monitoring"]

      check {
        type     = "http"
        path     = "/-/healthy"
        interval = "10s"
        timeout  = "2s"
      }
    }

    task "prometheus" {
      driver = "docker"

      config {
        image = "prom/prometheus:v2.55.0"
        args = [
          "--config.file=/local/prometheus.yml",
          "--storage.tsdb.path=/prometheus",
          "--web.external-url=http://${NOMAD_IP_ui}:${NOMAD_PORT_ui}/",
        ]
        ports = ["ui"]
      }

      volume_mount {
        volume      = "tsdb"
        destination = "/prometheus"
      }

      template {
        change_mode   = "signal"
        change_signal = "SIGHUP"
        destination   = "local/prometheus.yml"
        data = <<EOH
---
global:
  scrape_interval: 5s

scrape_configs:
  - job_name: "nomad"
    metrics_path: /v1/metrics
    params:
      format: ["prometheus"]
    static_configs:
      - targets: ["{{ env "attr.unique.network.ip-address" }}:4646"]
  - job_name: "apps"
    static_configs:
      - targets:
{{ range nomadServices }}{{ range nomadService .Name }}
          - "{{ .Address }}:{{ .Port }}"
{{ end }}{{ end }}
    relabel_configs:
      - source_labels: [__address__]
        regex: "([^:]+)(?::\\d+)?"
        replacement: "$${1}:9100"
        target_label: instance
EOH
      }

      resources {
        cpu    = 500
        memory = 1024
      }
    }
  }
}
