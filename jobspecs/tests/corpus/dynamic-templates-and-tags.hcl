variables {
  sites = ["shop", "blog", "docs"]
  tls   = true
}

job "static-sites" {
  group "nginx" {
    network {
      port "http" {
        to = 80
      }
    }

    service {
      name = "static-sites"
      port = "http"
      tags = flatten([
        for site in var.sites : [
          "traefik.http.routers.${site}.rule=Host(`${site}.example.com`)",
          "traefik.http.routers.${site}.tls=${var.tls}",
        ]
      ])
    }

    task "nginx" {
      driver = "docker"

      config {
        image = "nginx:1.27-alpine"
        ports = ["http"]

        dynamic "mount" {
          for_each = var.sites
          content {
            type     = "bind"
            source   = "local/${mount.value}"
            target   = "/usr/share/nginx/${mount.value}"
            readonly = true
          }
        }
      }

      dynamic "artifact" {
        for_each = [for site in var.sites : site if site != "docs"]
        content {
          source      = "s3::https://s3.example.com/sites/${artifact.value}.tar.gz"
          destination = "local/${artifact.value}"
        }
      }

      dynamic "template" {
        for_each = { for i, site in var.sites : site => i + 1 }
        content {
          data        = "server_name ${template.key}.example.com; # ${template.value}"
          destination = "local/conf.d/${template.key}.conf"
          change_mode = "signal"
        }
      }
    }
  }
}
