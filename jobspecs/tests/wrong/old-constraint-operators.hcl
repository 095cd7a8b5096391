job "web" {
  group "web" {
    constraint {
      attribute = "${attr.kernel.name}"
      operator  = "equals"
      value     = "linux"
    }
    constraint {
      attribute = "${attr.cpu.numcores}"
      operator  = "=>"
      value     = "4"
    }
    constraint {
      attribute = "${attr.os.version}"
      operator  = "regex"
      value     = "^22"
    }
    constraint {
      attribute = "${meta.tags}"
      operator  = "contains"
      value     = "ssd"
    }
    constraint {
      operator  = "distinct_host"
      value     = "true"
    }
    task "web" {
      driver = "docker"
      config {
        image = "web:1"
      }
    }
  }
}
