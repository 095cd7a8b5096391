job "csi-nfs-controller" {
  datacenters = ["dc1"]

  group "controller" {
    count = 2

    task "plugin" {
      driver = "docker"

      config {
        image = "registry.k8s.io/sig-storage/nfsplugin:v4.9.0"
        args = [
          "--endpoint=unix:///csi/csi.sock",
          "--nodeid=${node.unique.name}",
          "--logtostderr",
          "-v=5",
        ]
      }

      csi_plugin {
        id        = "nfs"
        type      = "controller"
        mount_dir = "/csi"
      }

      resources {
        cpu    = 100
        memory = 64
      }
    }
  }
}
