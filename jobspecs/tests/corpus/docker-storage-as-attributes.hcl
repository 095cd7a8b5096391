# The same kinds of things written as attributes.
job "media-attributes" {
  group "jellyfin" {
    task "jellyfin" {
      driver = "docker"

      config = {
        image = "jellyfin/jellyfin:10.10.1"

        mounts = [
          {
            type          = "tmpfs"
            target        = "/scratch"
            tmpfs_options = { size = 1000000 }
          },
          {
            type     = "bind"
            source   = "/etc/localtime"
            target   = "/etc/localtime"
            readonly = true
          },
        ]

        labels = {
          "com.example.team" = "media"
          tier               = 2
        }

        logging = {
          type = "journald"
          config = {
            labels = "com.example.team"
          }
        }
      }

      meta = {
        "dotted.key" = "kept"
        number       = 7
        truth        = true
      }

      env = {
        TZ    = "Europe/Vienna"
        RATIO = 0.25
        BIG   = 12345678901
      }

      resources {
        cpu    = 700
        memory = 900
      }

      logs {
        disabled = true
      }
    }
  }
}
