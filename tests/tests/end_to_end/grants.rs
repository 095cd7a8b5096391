//! What a task is granted beyond CPU and memory is what its container has: a core of its own, a device, a volume, a secret.

use std::time::Duration;

use serde_json::Value;
use tests::e2e::command::succeed;
use tests::e2e::{config, shared, wait};

const SOON: Duration = Duration::from_secs(20);

const JOB: &str = r#"
job "grants" {
  datacenters = ["*"]

  group "grants" {
    volume "data" {
      type   = "host"
      source = "data"
    }

    task "basket" {
      driver = "docker"

      config {
        image = "basket:demo"
      }

      secret "db" {
        provider = "file"
        path     = "db"
      }

      env {
        DB_USER = "${secret.db.user}"
      }

      volume_mount {
        volume      = "data"
        destination = "/data"
        read_only   = true
      }

      resources {
        cores  = 1
        memory = 32

        device "acme/widget" {}
      }
    }
  }
}
"#;

#[test]
fn a_container_has_the_core_device_volume_and_secret_that_its_task_was_granted() {
    let cluster = shared::cluster();
    std::fs::write(config::secrets(cluster.folder()).join("db"), "user=web\n").expect("the folder is there");
    let spec = cluster.write("grants.hcl", JOB);
    cluster.sched(&["job", "run", &spec]).expect(0);
    let (allocation, _) = wait::until("an instance", SOON, || {
        let wanted = cluster.wanted("grants")?;
        let id = wanted.first().and_then(|one| one["ID"].as_str()).ok_or("none")?;
        cluster.try_get(&format!("/v1/allocation/{id}"))
    });
    let granted = &allocation["AllocatedResources"]["Tasks"]["basket"];
    let cores = granted["Cpu"]["ReservedCores"].as_array().cloned().unwrap_or_default();
    assert_eq!(cores.len(), 1, "{granted:#}");

    let container = cluster.running("grants").remove(0);
    let shown: Value = serde_json::from_str(&succeed("docker", &["inspect", &container.id])).expect("it is JSON");
    let (host, environment) = (&shown[0]["HostConfig"], &shown[0]["Config"]["Env"]);
    assert_eq!(host["CpusetCpus"], cores[0].to_string(), "{host:#}");
    let devices = host["Devices"].as_array().cloned().unwrap_or_default();
    let paths: Vec<_> = devices.iter().map(|device| &device["PathOnHost"]).collect();
    assert_eq!(paths, ["/dev/full"]);
    let has = |text: &str| environment.as_array().is_some_and(|all| all.iter().any(|one| one == text));
    assert!(has("DB_USER=web"), "{environment:#}");
    let mounts = shown[0]["Mounts"].as_array().cloned().unwrap_or_default();
    let volume = mounts.iter().find(|mount| mount["Destination"] == "/data").expect("the volume is mounted");
    let path = config::volume(cluster.folder()).display().to_string();
    assert_eq!((volume["Source"].as_str(), &volume["RW"]), (Some(path.as_str()), &Value::Bool(false)));
}
