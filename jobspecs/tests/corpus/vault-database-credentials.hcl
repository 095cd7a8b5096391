# Short-lived database credentials from Vault, as environment variables and as a file.
job "invoices" {
  group "api" {
    task "api" {
      driver = "docker"

      vault {
        role                   = "invoices"
        namespace              = "finance"
        cluster                = "default"
        env                    = false
        disable_file           = true
        change_mode            = "signal"
        change_signal          = "SIGUSR1"
        allow_token_expiration = true
      }

      config {
        image = "registry.example.com/invoices:5.0.1"
      }

      template {
        destination = "${NOMAD_SECRETS_DIR}/db.env"
        env         = true
        data = <<EOH
{{ with secret "database/creds/invoices" }}
PGUSER={{ .Data.username }}
PGPASSWORD={{ .Data.password | toJSON }}
{{ end }}
EOH
      }

      template {
        destination   = "${NOMAD_SECRETS_DIR}/tls.pem"
        data          = "{{ with pkiCert \"pki/issue/invoices\" \"common_name=invoices.example.com\" }}{{ .Cert }}{{ .CA }}{{ .Key }}{{ end }}"
        perms         = "0400"
        uid           = 1000
        gid           = 1000
        change_mode   = "signal"
        change_signal = "sighup"
        splay         = "30s"

        wait {
          min = "5s"
          max = "1m"
        }
      }
    }
  }
}
