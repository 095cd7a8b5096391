job "web" {
  group "web" {
    constraint {
      atribute = "${attr.kernel.name}"
      valeu    = "linux"
    }
    constraint {
      attribute = "${attr.cpu.arch}"
      opertor   = "!="
      value     = "arm64"
    }
    affinity {
      attribute = "${meta.rack}"
      value     = "r1"
      wieght    = 20
    }
    spread {
      attribute = "${node.datacenter}"
      targt "dc1" {
        percent = 50
      }
      target "dc2" {
        precent = 50
      }
    }
    task "web" {
      driver = "docker"
      config {
        image = "web:1"
      }
    }
  }
}
