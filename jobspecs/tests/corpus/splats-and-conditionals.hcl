locals {
  nodes = [
    { name = "n1", disks = ["sda", "sdb"], ip = "10.0.0.1" },
    { name = "n2", disks = ["nvme0"], ip = "10.0.0.2" },
  ]
  single  = { name = "only" }
  nothing = null
}

job "kafka" {
  meta {
    names         = join(",", local.nodes[*].name)
    legacy_splat  = join(",", local.nodes.*.ip)
    all_disks     = join(",", flatten(local.nodes[*].disks))
    first_disks   = join(",", [for n in local.nodes : n.disks[0]])
    index_by_name = local.nodes[1]["name"]
    legacy_index  = local.nodes.0.name
    single        = join(",", local.single[*].name)
    none          = length(local.nothing[*])
    nested        = length(local.nodes) > 1 ? (length(local.nodes) > 2 ? "many" : "two") : "one"
    expanded      = join("/", concat([for n in local.nodes : n.disks]...))
  }

  group "kafka" {
    count = length(local.nodes)

    task "kafka" {
      driver = "docker"
      config {
        image = "apache/kafka:3.8.0"
      }
      env {
        KAFKA_CONTROLLER_QUORUM_VOTERS = join(",", [for i, n in local.nodes : "${i + 1}@${n.ip}:9093"])
        KAFKA_HEAP_OPTS                = length(local.nodes) >= 3 ? "-Xmx4g" : "-Xmx1g"
      }
    }
  }
}
