job "legacy-java" {
  group "java" {
    task "jar" {
      driver = "java"

      config {
        jar_path    = "local/app.jar"
        jvm_options = ["-Xmx512m", "-Xms128m", "-Dport=8080"]
        args        = ["--spring.profiles.active=prod"]
        pid_mode    = "private"
        ipc_mode    = "private"
        cap_add     = ["net_bind_service"]
        cap_drop    = ["net_raw"]
        work_dir    = "/local"
      }

      artifact {
        source = "https://repo.example.com/releases/app-4.2.jar"
        mode   = "file"
      }

      resources {
        cpu    = 500
        memory = 768
      }
    }

    task "class" {
      driver = "java"

      config {
        class      = "com.example.Worker"
        class_path = "${NOMAD_TASK_DIR}/lib/*:${NOMAD_TASK_DIR}/classes"
      }
    }
  }
}
