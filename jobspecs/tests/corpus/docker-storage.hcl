# Mounts as blocks, volumes as lines, devices, and what the container may write.
job "media" {
  group "jellyfin" {
    task "jellyfin" {
      driver = "docker"

      config {
        image         = "jellyfin/jellyfin:10.10.1"
        load          = "jellyfin.tar"
        volume_driver = "rexray/ebs"
        volumes = [
          "/srv/media:/media:ro",
          "cache:/cache",
        ]
        readonly_rootfs = true
        storage_opt = {
          size = "40G"
        }

        mount {
          type     = "volume"
          source   = "config"
          target   = "/config"
          readonly = false

          volume_options {
            no_copy = true

            labels {
              app = "jellyfin"
            }

            driver_config {
              name = "pxd"

              options {
                size = "10"
                repl = 2
              }
            }
          }
        }

        mount {
          type     = "bind"
          source   = "local/web"
          target   = "/web"
          readonly = true

          bind_options {
            propagation = "rslave"
          }
        }

        mount {
          type   = "tmpfs"
          target = "/transcode"

          tmpfs_options {
            size = 1073741824
            mode = 511
          }
        }

        devices = [
          {
            host_path          = "/dev/dri/renderD128"
            container_path     = "/dev/dri/renderD128"
            cgroup_permissions = "rw"
          },
          { host_path = "/dev/video0" },
        ]
      }

      resources {
        memory = 2048
      }
    }
  }
}
