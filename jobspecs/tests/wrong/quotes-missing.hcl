job "web" {
  type        = batch
  datacenters = [dc1, dc2]
  group "web" {
    task "web" {
      driver = docker
      user   = nobody
      config {
        image   = nginx
        command = run
      }
      env {
        MODE = production
      }
    }
  }
}
