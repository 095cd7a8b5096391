job "heredocs" {
  group "heredocs" {
    task "write" {
      driver = "docker"

      config {
        image = "alpine:3.20"
        args = ["-c", <<-EOT
          echo one
            echo two
        EOT
        ]
      }

      env = {
        KEPT = <<EOT
    four spaces
  two spaces
EOT
        DEDENTED = <<-EOT
            four more

          least

              six more
          EOT
        CHOMPED = chomp(<<-EOT
          no newline at the end
          EOT
        )
        AFTER = "plain"
      }

      template {
        destination = "local/compose.yaml"
        data = <<-YAML
          services:
            web:
              image: "nginx"
              environment:
                - ADDR={{ env "NOMAD_ADDR_http" }}
        YAML
      }
    }
  }
}
