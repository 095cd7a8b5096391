job "web" {
  group "web" {
    co[31munt = 2
    task "web" {
      driver = "docker"
      config {
        image = "web:1"
      }
    }
  }
}
