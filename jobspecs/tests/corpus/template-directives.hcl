# The directives of HCL, evaluated while the file is read, next to those of consul-template, which are left.
variable "users" {
  type    = list(string)
  default = ["ann", "bob"]
}

variable "with_tls" {
  type    = bool
  default = true
}

job "directives" {
  group "directives" {
    task "show" {
      driver = "docker"

      config {
        image = "alpine:3.20"
        args  = ["hello%{ if var.with_tls }s%{ else } (plain)%{ endif }", "%{ for u in var.users }[${u}]%{ endfor }"]
      }

      template {
        destination = "local/users.conf"
        data = <<EOT
# users
%{ for index, user in var.users ~}
user ${index} ${user}
%{ endfor ~}
%{ if var.with_tls ~}
tls on
%{ else ~}
tls off
%{ endif ~}
{{ with nomadVar "nomad/jobs/directives" }}secret {{ .secret }}{{ end }}
EOT
      }

      template {
        destination = "local/wide.conf"
        data = <<EOT
%{ for user in var.users }
user ${user}
%{ endfor }
end
EOT
      }

      template {
        destination = "local/inline.conf"
        data = <<-EOT
          users =%{ for user in var.users } ${user}%{ endfor };
            tls = ${var.with_tls ? "on" : "off"};
        EOT
      }
    }
  }
}
