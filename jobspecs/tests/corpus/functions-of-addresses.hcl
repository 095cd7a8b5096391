locals {
  vpc     = "10.1.0.0/16"
  subnets = cidrsubnets(local.vpc, 4, 4, 8, 4)
}

job "address-functions" {
  meta {
    cidrhost        = cidrhost("10.12.112.0/20", 16)
    cidrhost_far    = cidrhost("10.12.112.0/20", 268)
    cidrhost_v6     = cidrhost("fd00:fd12:3456:7890:00a2::/72", 34)
    cidrnetmask     = cidrnetmask("172.16.0.0/12")
    cidrsubnet      = cidrsubnet("172.16.0.0/12", 4, 2)
    cidrsubnet_last = cidrsubnet("10.1.2.0/24", 4, 15)
    cidrsubnet_v6   = cidrsubnet("fd00:fd12:3456:7800::/56", 16, 162)
    cidrsubnets     = join(" ", local.subnets)
  }

  group "g" {
    network {
      dns {
        servers = [cidrhost(local.subnets[0], 2), cidrhost(local.subnets[1], 2)]
      }
    }

    task "t" {
      driver = "docker"
      config {
        image        = "alpine:3.20"
        ipv4_address = cidrhost(cidrsubnet(local.vpc, 8, 7), 10)
        extra_hosts  = [for i in range(2) : "peer-${i}:${cidrhost(local.vpc, 256 + i)}"]
      }
    }
  }
}
