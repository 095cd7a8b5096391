# Asks for more memory than any node has. The job is accepted and waits; ask why:
#
#   sched job run -detach jobspecs/too-big.hcl
#   sched job why too-big
#
# It is placed the moment that a node with that much room joins.
job "too-big" {
  group "too-big" {
    task "too-big" {
      driver = "docker"

      config {
        image = "basket:demo"
      }

      resources {
        cpu    = 50
        memory = 1048576 # 1 TiB, in MiB
      }
    }
  }
}
