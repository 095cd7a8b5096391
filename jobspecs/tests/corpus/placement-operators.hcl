# Each operator of a constraint once, and the short forms.
job "placed" {
  constraint {
    attribute = "${attr.kernel.name}"
    value     = "linux"
  }
  constraint {
    attribute = "${node.class}"
    operator  = "!="
    value     = "spot"
  }
  constraint {
    attribute = "${attr.cpu.numcores}"
    operator  = ">"
    value     = "2"
  }
  constraint {
    attribute = "${attr.cpu.numcores}"
    operator  = "<="
    value     = "64"
  }
  constraint {
    attribute = "${attr.memory.totalbytes}"
    operator  = ">="
    value     = "4000000000"
  }
  constraint {
    attribute = "${meta.generation}"
    operator  = "<"
    value     = "9"
  }
  constraint {
    attribute = "${attr.os.version}"
    operator  = "regexp"
    value     = "^2[24]\\.04$"
  }
  constraint {
    attribute = "${attr.nomad.version}"
    operator  = "version"
    value     = ">= 1.7, < 3.0"
  }
  constraint {
    attribute = "${attr.vault.version}"
    operator  = "semver"
    value     = ">= 1.15.0"
  }
  constraint {
    attribute = "${meta.features}"
    operator  = "set_contains"
    value     = "ssd,10g"
  }
  constraint {
    attribute = "${meta.features}"
    operator  = "set_contains_all"
    value     = "ssd"
  }
  constraint {
    attribute = "${meta.features}"
    operator  = "set_contains_any"
    value     = "arm,x86"
  }
  constraint {
    attribute = "${node.pool}"
    operator  = "not"
    value     = "gpu"
  }

  constraint {
    attribute = "${meta.maintained}"
    operator  = "is_set"
  }
  constraint {
    attribute = "${meta.draining}"
    operator  = "is_not_set"
  }
  constraint {
    operator = "distinct_hosts"
    value    = "true"
  }
  constraint {
    operator  = "distinct_property"
    attribute = "${meta.rack}"
    value     = "3"
  }

  group "short" {
    constraint {
      distinct_hosts = true
    }
    constraint {
      distinct_property = "${node.datacenter}"
    }
    constraint {
      attribute = "${attr.unique.hostname}"
      regexp    = "web[0-9]+"
    }
    constraint {
      attribute = "${attr.driver.docker.version}"
      version   = "~> 27.0"
    }
    constraint {
      attribute = "${attr.consul.version}"
      semver    = "1.20.1"
    }
    constraint {
      attribute    = "${meta.zones}"
      set_contains = "a,b"
    }
    constraint {
      attribute        = "${meta.zones}"
      set_contains_any = "c,d"
    }

    task "t" {
      driver = "docker"

      constraint {
        attribute = "${node.unique.name}"
        operator  = "!="
        value     = "canary-1"
      }

      config {
        image = "alpine:3.20"
      }
    }
  }
}
