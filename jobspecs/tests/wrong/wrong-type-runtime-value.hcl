job "web" {
  group "web" {
    count = "${meta.count}"
    task "web" {
      driver = "docker"
      config {
        image = "web:1"
      }
    }
  }
}
