job "web" {
  group "web" {
    task "web" {
      driver = "docker"
      config {
        image = "web:1"
        command = "C:\data\web.exe"
        args    = ["--match", "\d+"]
      }
    }
  }
}
