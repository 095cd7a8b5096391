locals {
  full_image = "${local.registry}/${local.image}:${local.version}"
  registry   = "registry.${local.domain}"
  domain     = "example.com"
  image      = "worker"
  version    = "${local.release.major}.${local.release.minor}"
  release = {
    major = 3
    minor = 14
  }
}

locals {
  pools = [for name in ["fast", "slow"] : { name = name, threads = name == "fast" ? 8 : 2 }]
}

job "worker" {
  group "worker" {
    meta = {
      image = local.full_image
      pools = join(" ", [for p in local.pools : "${p.name}=${p.threads}"])
      total = local.pools[0].threads + local.pools[1].threads
    }

    task "worker" {
      driver = "docker"
      config {
        image = local.full_image
      }
    }
  }
}
