# Each instance has its own volume: mysql[0], mysql[1], mysql[2].
job "mysql" {
  group "mysql" {
    count = 3

    volume "data" {
      type            = "csi"
      source          = "mysql"
      read_only       = false
      access_mode     = "single-node-writer"
      attachment_mode = "file-system"
      per_alloc       = true

      mount_options {
        fs_type     = "ext4"
        mount_flags = ["noatime", "nodiratime"]
      }
    }

    volume "certs" {
      type            = "csi"
      source          = "certs"
      read_only       = true
      access_mode     = "multi-node-reader-only"
      attachment_mode = "file-system"
    }

    network {
      port "db" {
        to = 3306
      }
    }

    task "mysqld" {
      driver = "docker"

      config {
        image = "mysql:8.4"
        ports = ["db"]
        args  = ["--server-id=${NOMAD_ALLOC_INDEX}"]
      }

      volume_mount {
        volume      = "data"
        destination = "/var/lib/mysql"
      }

      volume_mount {
        volume           = "certs"
        destination      = "/etc/mysql/certs"
        read_only        = true
        propagation_mode = "host-to-task"
      }

      resources {
        cpu     = 800
        memory  = 1500
        secrets = 16
      }
    }
  }
}
