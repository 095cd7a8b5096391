job "web" {
  datacenters = "dc1"
  group "web" {
    service {
      name = ["web"]
      tags = "a,b"
    }
    task "web" {
      driver = "docker"
      config {
        image = "web:1"
        args       = "--fast --loud"
        cap_add    = "net_admin"
        entrypoint = "/bin/sh -c"
        command    = ["run", "fast"]
      }
      env = ["MODE=production"]
      meta {
        list = ["a"]
      }
    }
  }
}
