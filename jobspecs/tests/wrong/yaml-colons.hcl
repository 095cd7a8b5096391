job "web" {
  type: "service"
  group "web" {
    count: 2
    task "web" {
      driver: "docker"
      config {
        image: "web:1"
      }
      resources {
        memry = 64
      }
    }
  }
}
