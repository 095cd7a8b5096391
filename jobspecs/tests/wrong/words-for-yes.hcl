job "web" {
  group "web" {
    task "web" {
      driver = "docker"
      config {
        image = "web:1"
        privileged = "yes"
        force_pull = 1
        tty        = "True"
      }
      leader = "on"
    }
  }
}
