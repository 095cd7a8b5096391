job "uploader" {
  group "uploader" {
    service {
      name     = "uploader"
      port     = "8080"
      provider = "consul"
      cluster  = "default"

      identity {
        name         = "consul-service"
        aud          = ["consul.io"]
        ttl          = "1h"
        service_name = "uploader"
      }
    }

    task "uploader" {
      driver = "docker"

      identity {
        env         = true
        file        = true
        change_mode = "restart"
      }

      identity {
        name          = "aws"
        aud           = ["sts.amazonaws.com"]
        env           = true
        file          = true
        filepath      = "local/aws.jwt"
        ttl           = "2h"
        change_mode   = "signal"
        change_signal = "SIGHUP"

        extra_claims {
          team      = "media"
          unique_id = "${job.region}:${job.namespace}:${job.id}"
        }
      }

      identity {
        name        = "minio"
        aud         = ["minio.example.com", "backup"]
        change_mode = "noop"
      }

      config {
        image = "registry.example.com/uploader:1.4"
      }
    }
  }
}
