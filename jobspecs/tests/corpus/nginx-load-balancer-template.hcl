job "balancer" {
  group "nginx" {
    count = 2

    network {
      port "http" {
        static = 8080
      }
    }

    task "nginx" {
      driver = "docker"

      config {
        image   = "nginx:1.27"
        ports   = ["http"]
        volumes = ["local:/etc/nginx/conf.d"]
      }

      template {
        left_delimiter  = "[["
        right_delimiter = "]]"
        destination     = "local/defaults.conf"
        data            = "keepalive_timeout [[ keyOrDefault \"nginx/keepalive\" \"65\" ]]s;\n"
      }

      template {
        data = <<-EOF
          upstream backend {
          {{- range service "storefront" }}
            server {{ .Address }}:{{ .Port }};
          {{- else }}
            server 127.0.0.1:65535; # a backend is missing
          {{- end }}
          }

          server {
            listen {{ env "NOMAD_PORT_http" }};

            location / {
              proxy_pass http://backend;
              proxy_set_header Host $host;
              add_header X-Node "${node.unique.name}";
            }
          }
        EOF

        destination   = "local/load-balancer.conf"
        change_mode   = "signal"
        change_signal = "SIGHUP"
      }

      template {
        source      = "/etc/nomad-templates/tls.conf.tpl"
        destination = "local/tls.conf"
        vault_grace = "15s"
        change_mode = "script"

        change_script {
          command             = "/usr/sbin/nginx"
          args                = ["-s", "reload"]
          timeout             = "20s"
          fail_on_error       = true
          run_on_first_render = true
        }
      }
    }
  }
}
