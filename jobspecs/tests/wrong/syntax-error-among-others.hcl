job "web" {
  tpye = "service"
  group "web" {
    count = 
    network {
      mode = "bridge
      port "http" {
        too = 8080
      }
    }
    task "web" {
      driver = "docker";
      config {
        image = "web:1"
        ports = ["http"]
      }
      resources {
        memory = "64MB"
      }
    }
  }
}
variable "tag" {
  tpye = string
}
