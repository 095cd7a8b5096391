job "web" {
  datacentres = ["dc1"]
  prioriy     = 60
  namespce    = "shop"
  nodepool    = "gpu"
  constrant {
    attribute = "${attr.kernel.name}"
    value     = "linux"
  }
  updte {
    max_parallel = 2
  }
  grop "web" {
    task "web" {
      driver = "fake"
    }
  }
}
