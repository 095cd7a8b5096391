job "dpdk" {
  group "router" {
    network {
      mode = "cni/macvlan"

      cni {
        args = {
          "nat.outgoing" = true
          vlan           = 120
          IP             = "10.20.0.7"
        }
      }
    }

    task "router" {
      driver = "docker"

      config {
        image      = "registry.example.com/dpdk-router:23.11"
        privileged = true
      }

      resources {
        cores  = 8
        memory = 8192

        numa {
          affinity = "none"
          devices  = ["mellanox/nic/cx6"]
        }

        device "mellanox/nic/cx6" {
          count = 2
        }
      }
    }
  }
}
