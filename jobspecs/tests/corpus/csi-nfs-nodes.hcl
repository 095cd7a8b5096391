job "csi-nfs-nodes" {
  datacenters = ["dc1"]
  type        = "system"

  group "nodes" {
    task "plugin" {
      driver = "docker"

      config {
        image        = "registry.k8s.io/sig-storage/nfsplugin:v4.9.0"
        args         = ["--endpoint=unix:///csi/csi.sock", "--nodeid=${node.unique.name}"]
        privileged   = true
        network_mode = "host"
      }

      csi_plugin {
        id                     = "nfs"
        type                   = "node"
        mount_dir              = "/plugin"
        stage_publish_base_dir = "/local/nfs"
        health_timeout         = "1m30s"
      }

      resources {
        cpu    = 100
        memory = 64
      }
    }
  }
}
