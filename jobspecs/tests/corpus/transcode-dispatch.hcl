# Not run by itself: each dispatch brings a description of a video as the payload.
job "transcode" {
  type = "batch"

  parameterized {
    payload       = "required"
    meta_required = ["input", "profile"]
    meta_optional = ["callback"]
  }

  meta {
    callback = ""
  }

  group "ffmpeg" {
    max_run_duration = "2h30m"

    ephemeral_disk {
      size = 20000
    }

    task "ffmpeg" {
      driver = "docker"

      dispatch_payload {
        file = "job.json"
      }

      config {
        image      = "linuxserver/ffmpeg:7.1"
        entrypoint = ["/bin/sh", "-c"]
        command    = "exec /local/run.sh $NOMAD_META_profile"
        work_dir   = "/alloc/data"
      }

      env {
        INPUT   = "${NOMAD_META_input}"
        PROFILE = "${NOMAD_META_PROFILE}"
        PAYLOAD = "${NOMAD_TASK_DIR}/job.json"
      }

      resources {
        cores  = 4
        memory = 4096
      }
    }
  }
}
