locals {
  zones = ["b", "c", "a", "b"]
  base  = { cpu = 100, memory = 256 }
}

job "collection-functions" {
  type        = "batch"
  datacenters = sort(distinct(local.zones))

  meta {
    chunklist       = jsonencode(chunklist(["a", "b", "c", "d", "e"], 2))
    coalesce        = coalesce(null, "second", "third")
    coalescelist    = join(",", coalescelist([], ["x", "y"], ["z"]))
    compact         = join(",", compact(["a", "", "b", null, "c"]))
    concat          = join(",", concat(["a"], ["b", "c"], []))
    contains        = contains(local.zones, "c")
    contains_not    = contains(local.zones, "d")
    distinct        = join(",", distinct(local.zones))
    element         = element(local.zones, 5)
    flatten         = jsonencode(flatten([["a", ["b"]], [], [["c"]]]))
    index           = index(local.zones, "a")
    keys            = join(",", keys(local.base))
    length          = length(local.zones)
    length_of_map   = length(local.base)
    lookup          = lookup(local.base, "memory", 64)
    lookup_default  = lookup(local.base, "disk", 300)
    merge           = jsonencode(merge(local.base, { memory = 512 }, { disk = 10 }))
    range           = jsonencode(range(3))
    range_from      = jsonencode(range(1, 4))
    range_step      = jsonencode(range(10, 0, -4))
    reverse         = join(",", reverse(local.zones))
    setintersection = join(",", setintersection(["a", "b", "c"], ["c", "b"], ["b", "d"]))
    setproduct      = jsonencode(setproduct(["app", "db"], ["eu", "us"]))
    setunion        = join(",", setunion(["b", "a"], ["c", "b"]))
    slice           = join(",", slice(local.zones, 1, 3))
    sort            = join(",", sort(local.zones))
    values          = jsonencode(values(local.base))
    zipmap          = jsonencode(zipmap(["one", "two"], [1, 2]))
  }

  group "g" {
    task "t" {
      driver = "docker"
      config {
        image  = "alpine:3.20"
        labels = merge({ team = "infra" }, { for z in distinct(local.zones) : "zone-${z}" => upper(z) })
      }
    }
  }
}
