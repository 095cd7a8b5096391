//! What an agent gives tasks beyond amounts: volumes that are made while it runs, secrets, networks, memory near cores.

use client_agent_core::Allocation;
use model::{Cores, HostVolume, Numa, Secret, Volume, VolumeId};

use super::super::describe;
use super::super::effects::task_spec;
use super::super::local::{Local, spec_of};
use super::*;

/// A folder of one test's own, that goes with it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("sched-agent-{name}-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("secrets")).unwrap();
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn id() -> VolumeId {
    VolumeId::derive(&[b"data"])
}

fn make(name: &str, plugin: &str, path: &str) -> order::Body {
    order::Body::MakeVolume(wire::MakeVolumeOrder {
        volume: proto::convert::volume_to_bytes(id()),
        name: name.into(),
        plugin: plugin.into(),
        path: path.into(),
    })
}

fn delete() -> order::Body {
    order::Body::DeleteVolume(wire::DeleteVolumeOrder {
        volume: proto::convert::volume_to_bytes(id()),
        name: "data".into(),
        plugin: model::FOLDER_PLUGIN.into(),
    })
}

fn has_volume(node: Option<&wire::NodeDescription>) -> bool {
    node.is_some_and(|node| node.host_volumes.contains_key("data"))
}

#[tokio::test(start_paused = true)]
async fn a_volume_that_is_made_outlives_the_agent_until_it_is_deleted() {
    let folder = Folder::new("volume");
    let mut bench = Bench::in_folder(Some(folder.0.clone())).await;
    bench.until("a hello", |bench| !bench.hellos.is_empty()).await;
    let node = bench.hellos[0].node.clone().unwrap();
    assert!(node.attributes.contains_key("plugins.host_volume.mkdir.version"));
    let path = folder.0.join("volumes").join(id().to_string());
    let wanted = json!({ "path": path.display().to_string() }).to_string();
    let (document, end) = bench.order(make("data", "mkdir", "")).await;
    assert_eq!((document, end.status), (wanted.clone(), 200));
    bench.until("the node with its volume", |bench| has_volume(bench.registered.as_ref())).await;
    let described = &bench.registered.as_ref().unwrap().host_volumes["data"];
    assert_eq!(&described.volume[..], id().as_bytes());
    assert!(path.is_dir());
    // Told once more, it says the same and keeps what is in it.
    std::fs::write(path.join("kept"), "").unwrap();
    assert_eq!(bench.order(make("data", "mkdir", "")).await.0, wanted);
    assert!(path.join("kept").exists());

    bench.restart_agent();
    bench.until("a second hello", |bench| bench.hellos.len() == 2).await;
    assert!(has_volume(bench.hellos[1].node.as_ref()), "it is known after a restart");
    bench.registered = None;
    let (_, end) = bench.order(delete()).await;
    assert_eq!(end.status, 200, "{}", end.error);
    bench.until("the node without it", |bench| bench.registered.is_some()).await;
    assert!(!has_volume(bench.registered.as_ref()) && !path.exists());
    assert_eq!(bench.order(delete()).await.1.status, 200, "what is gone is no error");
    let records = bench.store.load().await.unwrap();
    assert!(!records.keys().any(|name| name.starts_with("volumes/")), "{records:?}");
}

#[tokio::test(start_paused = true)]
async fn a_folder_that_is_there_is_taken_up_and_anything_else_is_refused() {
    let folder = Folder::new("register");
    let mut bench = Bench::in_folder(Some(folder.0.clone())).await;
    bench.until("a hello", |bench| !bench.hellos.is_empty()).await;
    let secrets = folder.0.join("secrets").display().to_string();
    let absent = folder.0.join("absent").display().to_string();
    for (order, wanted) in [
        (make("data", "", &absent), format!("{absent} is no folder of the node")),
        (make("data", "", "relative"), "the path \"relative\" is not absolute".into()),
        (make("data", "zfs", ""), "the node has no volume plugin \"zfs\"".into()),
    ] {
        let (_, end) = bench.order(order).await;
        assert_eq!((end.status, end.error), (400, wanted));
    }
    let (document, _) = bench.order(make("data", "", &secrets)).await;
    assert_eq!(document, json!({ "path": secrets }).to_string());
    let other = order::Body::MakeVolume(wire::MakeVolumeOrder {
        volume: proto::convert::volume_to_bytes(VolumeId::derive(&[b"other"])),
        name: "data".into(),
        plugin: "mkdir".into(),
        path: String::new(),
    });
    bench.until("the node with its volume", |bench| has_volume(bench.registered.as_ref())).await;
    assert_eq!(bench.order(other).await.1.error, "the node has a volume \"data\" already");
}

#[tokio::test(start_paused = true)]
async fn a_task_starts_with_its_secrets_and_fails_without() {
    let folder = Folder::new("secret");
    std::fs::write(folder.0.join("secrets/db"), "password = open sesame\n").unwrap();
    let mut bench = Bench::in_folder(Some(folder.0.clone())).await;
    let mut with = playing("web", &[("stdout", json!("it is ${secret.db.password}"))]);
    let secret = Secret { name: "db".into(), provider: "file".into(), path: "db".into(), ..Secret::default() };
    with.groups[0].tasks[0].secrets = vec![secret.clone()];
    let id = bench.want("a", &with, &[]);
    bench.until_status(id, ClientStatus::Running).await;
    let node = bench.hellos[0].node.clone().unwrap();
    assert!(node.attributes.contains_key("plugins.secrets.file.version"));
    let logs = wire::LogsOrder { allocation: allocation_to_bytes(id), task: "web".into(), ..Default::default() };
    assert_eq!(bench.order(order::Body::Logs(logs)).await.0, "it is open sesame");

    let mut without = job("next");
    without.groups[0].tasks[0].secrets = vec![Secret { path: "absent".into(), ..secret }];
    let id = bench.want("b", &without, &[]);
    bench.tell_wanted().await;
    let told = |bench: &Bench| {
        let events = bench.observed.get(&id).and_then(|known| known.tasks.get("next")).map(|task| &task.events);
        let told = "secret \"db\" can't be fetched from provider \"file\": No such file or directory";
        events.is_some_and(|events| events.iter().any(|event| event.message.contains(told)))
    };
    bench.until("why the secret is not there", told).await;
    assert!(bench.fake.running().iter().all(|(running, _)| *running != id));
}

#[tokio::test(start_paused = true)]
async fn a_group_in_a_named_network_shares_one_namespace_too() {
    let mut bench = Bench::new().await;
    let mut job = job("web");
    job.groups[0].networks = vec![Network { mode: NetworkMode::Named("cni/lan".into()), ..Network::default() }];
    let id = bench.want("a", &job, &[]);
    bench.until_status(id, ClientStatus::Running).await;
    assert_eq!(bench.fake.running().len(), 2, "the holder of the network, and the task");
    let node = bench.hellos[0].node.clone().unwrap();
    assert_eq!(node.network_modes, ["bridge", "cni/lan", "host", "none"]);
}

#[test]
fn the_cores_that_may_be_given_away_are_known_by_their_numa_node() {
    let mut config = AgentConfig::new(ClusterId::derive(&[b"c"]), NodeId::derive(&[b"n"]), "n1");
    let mut facts = HostFacts { cores: 4, core_mhz: 1000, ..HostFacts::default() };
    let numa_nodes = |config: &AgentConfig, facts: &HostFacts| describe::node(config, facts).cores.numa_nodes;
    assert_eq!(numa_nodes(&config, &facts), [(0, [0, 1, 2, 3].into())].into(), "one memory is near to all");
    facts.numa_nodes = [(0, [0, 1].into()), (1, [2, 3].into())].into();
    config.reservable_cores = Some([1, 2, 3].into());
    assert_eq!(numa_nodes(&config, &facts), [(0, [1].into()), (1, [2, 3].into())].into());
    config.reservable_cores = Some([0].into());
    assert_eq!(numa_nodes(&config, &facts), [(0, [0].into())].into());
    facts.pci_numa_nodes = [("0000:65:00.0".to_string(), 1)].into();
    config.devices = vec![crate::Devices {
        instances: [("0".to_string(), String::new()), ("1".into(), String::new())].into(),
        bus_ids: [("0".to_string(), "65:00.0".to_string())].into(),
        ..crate::Devices::default()
    }];
    let devices = describe::node(&config, &facts).devices;
    let near: Vec<_> = devices[0].instances.iter().map(|instance| instance.numa_node).collect();
    assert_eq!(near, [Some(1), None]);
}

#[test]
fn a_task_sees_its_volume_and_the_memory_of_its_cores() {
    let mut node = model::testing::node("n1");
    node.cores =
        Cores { ids: (0..4).collect(), core_mhz: 1000, numa_nodes: [(0, [0, 1].into()), (1, [2, 3].into())].into() };
    for (name, path) in [("data", "/volumes/v"), ("data[1]", "/volumes/1"), ("data[2]", "/volumes/2")] {
        node.host_volumes.insert(name.into(), HostVolume { path: path.into(), ..HostVolume::default() });
    }
    let mut job = job("web");
    for (name, per_alloc) in [("shared", false), ("own", true)] {
        let asked = Volume { kind: "host".into(), source: "data".into(), per_alloc, ..Volume::default() };
        job.groups[0].volumes.insert(name.into(), asked);
        let mount = model::VolumeMount { volume: name.into(), destination: "/data".into(), ..Default::default() };
        job.groups[0].tasks[0].volume_mounts.push(mount);
    }
    for (affinity, cores, wanted) in [
        ("require", vec![2, 3], vec![1]),
        ("prefer", vec![0, 1], vec![0]),
        ("prefer", vec![1, 2], vec![]),
        ("none", vec![2, 3], vec![]),
    ] {
        let mut job = job.clone();
        job.groups[0].tasks[0].resources.numa = Some(Numa { affinity: affinity.into(), devices: Vec::new() });
        let assignment = Assignment {
            allocation: allocation("a"),
            document: DocumentId { job: job.key(), create_index: 1, version: 0 },
            group: "web".into(),
            index: 2,
            ports: Vec::new(),
            cores: vec![model::CoreGrant { task: "web".into(), ids: cores.into_iter().collect() }],
            devices: Vec::new(),
            after: Vec::new(),
            deployment: None,
            desired: Desired::Run,
            generation: 1,
        };
        let config = AgentConfig::new(ClusterId::derive(&[b"c"]), NodeId::derive(&[b"n"]), "n1");
        let rules = spec_of(&assignment, &job, Duration::ZERO);
        let state = Allocation::orphaned(&rules, &BTreeMap::new(), Timestamp::default());
        let local = Local::new(assignment, Arc::new(job), state, Duration::ZERO);
        let spec = task_spec(&local, "web", &node, &config);
        assert_eq!(spec.memory_nodes.into_iter().collect::<Vec<u16>>(), wanted, "{affinity}");
        let sources: Vec<_> = spec.mounts.iter().filter_map(|mount| mount.source.as_deref()).collect();
        assert_eq!(sources, ["/volumes/v", "/volumes/2"]);
    }
}
