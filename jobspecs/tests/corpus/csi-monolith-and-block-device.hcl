job "local-lvm" {
  group "plugin" {
    task "lvm" {
      driver = "docker"

      config {
        image      = "registry.example.com/lvm-csi:0.3"
        privileged = true
        args       = ["--endpoint=${CSI_ENDPOINT}"]
      }

      csi_plugin {
        id             = "lvm"
        type           = "monolith"
        health_timeout = "45s"
      }
    }
  }

  group "consumer" {
    volume "raw" {
      type            = "csi"
      source          = "raw-disk"
      access_mode     = "multi-node-multi-writer"
      attachment_mode = "block-device"
    }

    volume "scratch" {
      type            = "host"
      source          = "scratch"
      access_mode     = "single-node-multi-writer"
      attachment_mode = "file-system"
    }

    task "consumer" {
      driver = "docker"

      config {
        image = "registry.example.com/blocks:1"
      }

      volume_mount {
        volume      = "raw"
        destination = "/dev/raw-disk"
      }

      volume_mount {
        volume           = "scratch"
        destination      = "/scratch"
        propagation_mode = "bidirectional"
        selinux_label    = "z"
      }
    }
  }
}
