job "web" {
  datacenters = "dc1"
  group "web" {
    task "web" {
      driver = "docker"
      config {
        image = "web:1"
      }
    }
  }
}
