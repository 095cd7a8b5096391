# What a group leaves open comes from the job, then from the type.
job "workers" {
  name     = "background workers"
  priority = 30

  update {
    max_parallel     = 2
    health_check     = "task_states"
    min_healthy_time = "5s"
  }

  migrate {
    max_parallel     = 3
    min_healthy_time = "15s"
  }

  reschedule {
    attempts  = 6
    interval  = "1h"
    unlimited = false
  }

  group "mail" {
    update {
      canary            = 1
      auto_promote      = true
      healthy_deadline  = "90s"
      progress_deadline = "0s"
    }

    reschedule {
      delay          = "10s"
      delay_function = "constant"
    }

    task "mail" {
      driver = "docker"
      config {
        image = "registry.example.com/mail:2"
      }
    }
  }

  group "thumbnails" {
    migrate {
      max_parallel = 1
    }

    task "thumbnails" {
      driver = "docker"
      config {
        image = "registry.example.com/thumbnails:2"
      }
    }
  }

  group "manual" {
    update {
      health_check = "manual"
      max_parallel = 0
    }

    task "manual" {
      driver = "docker"
      config {
        image = "registry.example.com/manual:2"
      }
    }
  }
}
