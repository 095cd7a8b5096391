job "web" {
  tpye = "service"
  group "web" {
    count = "three"
    network {
      port "http" {
        static = 99999
      }
    }
    task "web" {
      driver = "docker"
      config {
        comand = "x"
      }
      resources {
        memory = 4
      }
    }
  }
}
