job "gopher" {
  group "gopher" {
    count = 2

    network {
      port "http" {}
    }

    task "gopher" {
      driver = "exec"
      user   = "www-data"

      artifact {
        source      = "git::git@github.com:example/gopher.git//dist"
        destination = "local/gopher"
        mode        = "dir"
        insecure    = true
        chown       = true

        options {
          ref    = "v2.1.0"
          depth  = 1
          sshkey = "${base64encode("not a real key")}"
        }
      }

      artifact {
        source      = "https://artifacts.example.com/geo.mmdb"
        mode        = "file"
        destination = "local/geo.mmdb"

        headers {
          Authorization = "Bearer ${NOMAD_TOKEN}"
          X-Nomad-Alloc = "${NOMAD_ALLOC_ID}"
        }
      }

      config {
        command  = "local/gopher/gopher"
        args     = ["-addr", "${NOMAD_ADDR_http}"]
        pid_mode = "private"
        ipc_mode = "host"
        cap_add  = ["net_raw"]
        cap_drop = ["mknod"]
        work_dir = "/local/gopher"
      }
    }
  }
}
