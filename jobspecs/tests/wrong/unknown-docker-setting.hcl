job "web" {
  group "web" {
    network {
      port "http" {}
    }
    task "web" {
      driver = "docker"
      config {
        image = "web:1"
        comand = "run"
        args = "one"
        ports = ["htpp"]
      }
    }
  }
}
