job "web" {
  group "web" {
    constraint {
      attribute = "${attr.a}"
      regexp = "a"
      value = "b"
    }
    constraint {
      distinct_property = "${meta.rack}"
      attribute = "${attr.a}"
    }
    task "web" {
      driver = "docker"
      config {
        image = "web:1"
      }
    }
  }
}
