job "web" {
  count = 3
  group "web" {
    for_each   = ["a", "b"]
    depends_on = ["db"]
    task "web" {
      driver = "docker"
      config {
        image = "web:1"
      }
      provider = "docker"
      depends_on = ["migrate"]
      lifecycle {
        create_before_destroy = true
      }
    }
  }
}
