variables {
  members = 3
  version = "v3.5.16"
}

locals {
  peers = [for i in range(var.members) : "etcd-${i}"]
}

job "etcd" {
  group "etcd" {
    count = var.members

    constraint {
      operator = "distinct_hosts"
      value    = true
    }

    network {
      mode = "host"
      port "client" {
        static = 2379
      }
      port "peer" {
        static = 2380
      }
    }

    dynamic "service" {
      for_each = ["client", "peer"]
      content {
        name = "etcd-${service.value}"
        port = service.value
        tags = service.value == "peer" ? local.peers : []

        check {
          type     = "tcp"
          interval = "10s"
          timeout  = "1s"
        }
      }
    }

    task "etcd" {
      driver = "docker"

      config {
        image        = "quay.io/coreos/etcd:${var.version}"
        network_mode = "host"
        command      = "etcd"
        args = [
          "--name", "etcd-${NOMAD_ALLOC_INDEX}",
          "--listen-peer-urls", "http://${NOMAD_ADDR_peer}",
          "--initial-cluster-token=${uuidv5("dns", "etcd.example.com")}",
          "--initial-cluster=${join(",", formatlist("%s=http://%s.example.com:2380", local.peers, local.peers))}",
        ]
      }

      resources {
        cpu    = 300
        memory = 384
      }
    }
  }
}
