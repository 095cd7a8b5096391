job "train-resnet" {
  type        = "batch"
  node_pool   = "gpu"
  all_at_once = true

  group "workers" {
    count = 4

    constraint {
      distinct_hosts = true
    }

    affinity {
      attribute = "${meta.interconnect}"
      value     = "infiniband"
      weight    = 80
    }

    task "train" {
      driver = "docker"

      config {
        image    = "nvcr.io/nvidia/pytorch:24.08-py3"
        runtime  = "nvidia"
        ipc_mode = "host"
        command  = "torchrun"
        args     = ["--nnodes=4", "--node_rank=${NOMAD_ALLOC_INDEX}", "train.py"]
        shm_size = 8589934592
        ulimit {
          memlock = "-1"
          stack   = "67108864"
        }
      }

      resources {
        cpu        = 8000
        memory     = 32768
        memory_max = -1

        device "nvidia/gpu" {
          count = 2

          constraint {
            attribute = "${device.attr.memory}"
            operator  = ">="
            value     = "16 GiB"
          }

          constraint {
            attribute = "${device.attr.driver_version}"
            version   = ">= 535.0"
          }

          affinity {
            attribute = "${device.model}"
            regexp    = "A100|H100"
            weight    = 75
          }
        }

        device "intel/fpga/n3000" {}
      }
    }
  }
}
