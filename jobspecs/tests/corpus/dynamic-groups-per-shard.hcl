# One group for each shard, and in each one task for each role.
locals {
  roles = ["ingest", "query"]
  shards = {
    a = { count = 1, memory = 512 }
    b = { count = 2, memory = 1024 }
  }
}

job "search" {
  dynamic "group" {
    for_each = local.shards
    labels   = ["shard-${group.key}"]

    content {
      count = group.value.count

      dynamic "task" {
        for_each = local.roles
        labels   = [task.value]

        content {
          driver = "docker"
          leader = task.key == 0

          config {
            image = "registry.example.com/search:${task.value}"
            args  = ["--shard", group.key]
          }

          resources {
            memory = group.value.memory / length(local.roles)
          }
        }
      }
    }
  }
}
