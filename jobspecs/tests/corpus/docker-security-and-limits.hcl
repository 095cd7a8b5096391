job "sandbox" {
  type = "batch"

  group "sandbox" {
    task "untrusted" {
      driver = "docker"
      user   = "nobody:nogroup"

      config {
        image      = "registry.example.com/sandbox:1"
        privileged = false
        cap_drop   = ["ALL"]
        cap_add    = ["net_bind_service", "chown"]
        security_opt = [
          "seccomp=/etc/docker/sandbox.json",
          "apparmor=sandbox",
          "no-new-privileges",
        ]
        userns_mode       = "host"
        pid_mode          = "host"
        ipc_mode          = "private"
        uts_mode          = "host"
        cgroupns          = "private"
        group_add         = ["video", "1001"]
        init              = true
        interactive       = true
        tty               = true
        runtime           = "runsc"
        pids_limit        = 64
        oom_score_adj     = 300
        cpu_hard_limit    = true
        cpu_cfs_period    = 50000
        cpuset_cpus       = "0-1"
        memory_hard_limit = 256
        shm_size          = 67108864

        ulimit {
          nproc  = "128"
          nofile = "1024:2048"
        }

        sysctl = {
          "net.core.somaxconn"           = "16384"
          "net.ipv4.ip_local_port_range" = "1024 65000"
        }

        labels {
          isolation = "strict"
        }

        healthchecks {
          disable = true
        }
      }

      resources {
        cpu    = 200
        memory = 128
      }
    }
  }
}
