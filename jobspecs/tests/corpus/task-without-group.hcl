job "hello" {
  type = "batch"

  vault {
    role = "hello"
  }

  task "hello" {
    driver = "docker"

    config {
      image = "hello-world"
    }

    resources {
      cpu    = 20
      memory = 10
    }
  }
}
