job "web" {
  group "web" {
    task "web" {
      driver = "docker"
      config {
        image = "web:1"
      }
      template {
        destination = "local/x"
        data        = << EOF
a = 1
EOF
      }
    }
  }
}
