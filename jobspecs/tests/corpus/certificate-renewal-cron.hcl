job "certbot" {
  type = "sysbatch"

  periodic {
    cron = "@weekly"
  }

  group "renew" {
    task "certbot" {
      driver = "docker"

      config {
        image   = "certbot/certbot:v2.11.0"
        command = "renew"
        args    = ["--deploy-hook", "systemctl reload nginx"]
        volumes = [
          "/etc/letsencrypt:/etc/letsencrypt",
        ]
      }
    }
  }
}
