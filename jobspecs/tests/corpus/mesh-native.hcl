# The program speaks the mesh's TLS itself.
job "native-api" {
  group "api" {
    network {
      port "api" {}
    }

    service {
      name = "uuid-api"
      port = "api"
      task = "generate"

      connect {
        native = true
      }
    }

    task "generate" {
      driver = "docker"
      kind   = "connect-native:uuid-api"

      config {
        image        = "hashicorpdev/uuid-api:v5"
        network_mode = "host"
      }

      env {
        BIND = "0.0.0.0"
        PORT = "${NOMAD_PORT_api}"
      }
    }
  }
}
