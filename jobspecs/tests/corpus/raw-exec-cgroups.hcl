job "host-scripts" {
  type = "sysbatch"

  constraint {
    attribute = "${attr.kernel.name}"
    operator  = "is"
    value     = "linux"
  }

  group "scripts" {
    task "v1" {
      driver = "raw_exec"

      config {
        command = "/usr/local/bin/collect"
        args    = ["--once"]
        cgroup_v1_override = {
          pids   = "/collect/pids"
          cpuset = "/collect/cpuset"
        }
      }
    }
  }
}
