job "web" {
  group "web" {
    replicas = 3
    task "web" {
      image       = "nginx:1.27"
      ports       = ["8080:80"]
      environment = { MODE = "production" }
      restart     = "always"
      volumes     = ["/srv:/srv"]
      command     = "nginx"
      depends_on  = ["db"]
      healthcheck {
        test = ["CMD", "true"]
      }
      container_name = "web"
    }
  }
}
