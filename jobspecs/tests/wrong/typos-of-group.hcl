job "web" {
  group "web" {
    conut = 2
    netwrk {
      mode = "bridge"
    }
    sevice {
      name = "web"
    }
    restrat {
      attempts = 3
    }
    ephemeral_dsik {
      size = 500
    }
    reschedul {
      attempts = 3
    }
    spraed {
      attribute = "${node.datacenter}"
    }
    task "web" {
      driver = "docker"
      config {
        image = "web:1"
      }
    }
  }
}
