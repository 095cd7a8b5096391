# What a group's rule leaves open comes from the job's, then from the defaults of the type.
job "merged" {
  type = "service"
  update {
    max_parallel     = 3
    min_healthy_time = "1s"
    auto_revert      = true
  }
  reschedule {
    max_delay = "10m"
  }
  migrate {
    max_parallel = 2
  }
  group "own" {
    update {
      min_healthy_time = "2s"
    }
    restart {
      attempts = 5
    }
    reschedule {
      delay = "7s"
    }
    migrate {
      health_check = "task_states"
    }
    disconnect {
      lost_after = "1h"
      replace    = false
      reconcile  = "keep_original"
    }
    task "a" {
      driver = "fake"
      restart {
        delay = "3s"
      }
    }
  }
  group "inherited" {
    task "a" {
      driver = "fake"
    }
  }
}
