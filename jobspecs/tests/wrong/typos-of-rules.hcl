job "web" {
  group "web" {
    update {
      max_paralel      = 2
      canaries         = 1
      auto_revrt       = true
      min_healty_time  = "10s"
      health_check     = "task_state"
    }
    restart {
      attemps = 3
      mode    = "dealy"
    }
    reschedule {
      delay_function = "exponental"
      unlimted       = true
    }
    migrate {
      health_chek = "checks"
    }
    disconnect {
      lost_afer = "6h"
      reconcile = "keep_orginal"
    }
    task "web" {
      driver = "docker"
      config {
        image = "web:1"
      }
    }
  }
}
