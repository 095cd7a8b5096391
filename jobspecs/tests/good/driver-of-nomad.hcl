# A driver that no node of this release has: the scheduler says so, the reader warns.
job "web" {
  group "web" {
    task "web" {
      driver = "raw_exec"
      config {
        command = "/bin/web"
      }
    }
  }
}
