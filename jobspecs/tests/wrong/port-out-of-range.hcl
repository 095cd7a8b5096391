job "web" {
  group "web" {
    network {
      port "a" {
        static = 65536
      }
      port "b" {
        static = 0
      }
      port "c" {
        to = 70000
      }
      port "d" {
        static = -1
      }
    }
    task "web" {
      driver = "docker"
      config {
        image = "web:1"
      }
    }
  }
}
