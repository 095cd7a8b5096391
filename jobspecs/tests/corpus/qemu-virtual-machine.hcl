job "vm" {
  group "vm" {
    network {
      port "ssh" {}
    }

    task "debian" {
      driver       = "qemu"
      kill_timeout = "25s"

      config {
        image_path        = "local/debian-12.qcow2"
        emulator          = "qemu-system-x86_64"
        machine_type      = "q35"
        drive_interface   = "virtio"
        accelerator       = "kvm"
        graceful_shutdown = true
        guest_agent       = true
        args              = ["-nodefaults", "-nographic", "-smp", "2"]

        port_map {
          ssh = 22
        }
      }

      artifact {
        source = "https://cloud.debian.org/images/cloud/bookworm/latest/debian-12-generic-amd64.qcow2"
      }

      resources {
        cpu    = 2000
        memory = 2048
      }
    }
  }
}
