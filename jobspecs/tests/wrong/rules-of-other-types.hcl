job "web" {
  type = "batch"
  update {
    max_parallel = 2
  }
  migrate {}
  group "web" {
    task "web" {
      driver = "docker"
      config {
        image = "web:1"
      }
    }
  }
}
