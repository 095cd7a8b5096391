job "web" {
  group "web" {
    task "web" {
      driver = "raw_exec"
      config {
        image = "web:1"
      }
    }
  }
}
