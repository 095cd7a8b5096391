job "db" {
  group "db" {
    volume "data" {
      type        = "host"
      source      = "disk"
      access_mode = "multi-node-reader-only"
      mount_options {
        fs_type = "ext4"
      }
    }
    volume "shared" {
      type   = "csi"
      source = "nfs"
      sticky = true
    }
    volume "nothing" {}
    task "db" {
      driver = "fake"
      volume_mount {
        volume      = "dta"
        destination = "/data"
      }
      volume_mount {
        volume           = "shared"
        propagation_mode = "public"
      }
      csi_plugin {
        type = "node"
      }
    }
  }
}
