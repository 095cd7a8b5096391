job "web" {
  group "web" {
    task "web" {
      driver = "docker"
      config {
        image = "web:1"
      }
      template {
        data        = file("nginx.conf.tpl")
        destination = "local/nginx.conf"
      }
      env {
        HAS_CERTIFICATE = fileexists("web.pem")
      }
    }
  }
}
