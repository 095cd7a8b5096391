# Two tasks that share a network namespace: they reach each other on 127.0.0.1.
job "pod" {
  group "pod" {
    network {
      # All tasks of the group share one namespace, with ports of its own.
      mode = "bridge"

      port "http" {
        to = 8080
      }
    }

    service {
      name = "pod"
      port = "http"

      check {
        type     = "http"
        path     = "/health"
        interval = "1s"
        timeout  = "1s"
      }
    }

    update {
      min_healthy_time  = "2s"
      healthy_deadline  = "30s"
      progress_deadline = "60s"
    }

    task "basket" {
      driver = "docker"

      config {
        image = "basket:demo"
      }

      env {
        PORT = "8080"
      }

      resources {
        cpu    = 20
        memory = 32
      }
    }

    task "probe" {
      driver = "docker"

      config {
        image = "basket:demo"
        # Asks its neighbour once a second and logs the answer.
        args = ["--probe", "http://127.0.0.1:8080/health"]
      }

      resources {
        cpu    = 20
        memory = 16
      }
    }
  }
}
