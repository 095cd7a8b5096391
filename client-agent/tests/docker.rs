//! The Docker driver against a real engine. Every container bears a cluster of its own per test and is removed at its
//! end. Needs Docker and the static busybox of the distribution; without them it fails.

#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use client_agent::drivers::docker::{DockerConfig, DockerDriver, SOCKET_DEFAULT};
use client_agent::drivers::{Driver, DriverError, LogQuery, News, Started, TaskNetwork, TaskSpec};
use client_agent_core::{Found, NETWORK_TASK};
use model::{AllocationId, AssignedPort, ClusterId, Exit, JobKey, Logs, NodeId, TaskResources};
use serde_json::{Value, json};
use tokio::sync::mpsc;

const IMAGE: &str = "sched-test-busybox:1";

/// A driver of its own cluster and node, whose containers are removed when it goes out of scope.
struct Bench {
    driver: Arc<DockerDriver>,
    cluster: ClusterId,
    node: NodeId,
}

impl Bench {
    fn new(name: &str) -> Bench {
        image();
        let run = std::process::id().to_le_bytes();
        let (cluster, node) = (ClusterId::derive(&[name.as_bytes(), &run]), NodeId::derive(&[name.as_bytes()]));
        Bench { driver: connect(cluster, node), cluster, node }
    }

    fn spec(&self, task: &str, script: &str) -> TaskSpec {
        TaskSpec {
            allocation: AllocationId::derive(&[self.cluster.as_bytes(), b"allocation"]),
            task: task.into(),
            holds_network: task == NETWORK_TASK,
            job: JobKey::new("default", "web"),
            job_name: "web".into(),
            job_version: 1,
            group: "web".into(),
            generation: 1,
            restarts: 0,
            config: BTreeMap::from([
                ("image".to_string(), json!(IMAGE)),
                ("command".to_string(), json!("/busybox")),
                ("args".to_string(), json!(["sh", "-c", script])),
            ]),
            env: BTreeMap::from([("WHO".to_string(), "basket".to_string())]),
            cpu_mhz: 200,
            cores: Default::default(),
            memory_nodes: Default::default(),
            devices: Vec::new(),
            mounts: Vec::new(),
            resources: TaskResources { cpu: 200, memory: 32, ..TaskResources::default() },
            user: String::new(),
            logs: Logs::default(),
            ports: Vec::new(),
            network: TaskNetwork::Own,
            hostname: String::new(),
            dns: None,
        }
    }

    async fn start(&self, spec: &TaskSpec) -> Started {
        let (progress, _told) = mpsc::unbounded_channel();
        self.driver.start(spec, &progress).await.unwrap()
    }

    async fn error(&self, spec: &TaskSpec) -> DriverError {
        let (progress, _told) = mpsc::unbounded_channel();
        self.driver.start(spec, &progress).await.unwrap_err()
    }

    /// Starts the task and answers how it ends, as the events tell.
    async fn run(&self, spec: &TaskSpec) -> (Started, Exit) {
        let (sender, mut news) = mpsc::channel(16);
        let driver = self.driver.clone();
        let watching = tokio::spawn(async move { driver.watch(sender).await });
        let started = self.start(spec).await;
        let exit = loop {
            // The events may begin to flow after the end, so the engine is asked as well.
            let listed = self.driver.list().await.unwrap().into_iter().map(|container| container.found).next();
            if let Some(Found::Exited { exit, .. }) = listed {
                break exit;
            }
            match tokio::time::timeout(Duration::from_secs(1), news.recv()).await {
                Ok(Some(News::Changed(container))) => {
                    if let Found::Exited { exit, .. } = container.found {
                        break exit;
                    }
                }
                Ok(Some(News::Missed)) | Err(_) => {}
                Ok(None) => panic!("the events ended"),
            }
        };
        watching.abort();
        (started, exit)
    }

    async fn log(&self, handle: &str, query: LogQuery) -> String {
        let (sender, mut chunks) = mpsc::channel::<Bytes>(16);
        let reading = self.driver.logs(handle, query, sender);
        let collecting = async {
            let mut text = Vec::new();
            while let Some(chunk) = chunks.recv().await {
                text.extend_from_slice(&chunk);
            }
            String::from_utf8(text).unwrap()
        };
        let (read, text) = tokio::join!(reading, collecting);
        read.unwrap();
        text
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let label = format!("label=sched.cluster={}", self.cluster);
        let listed = docker(&["ps", "-aq", "--filter", &label]);
        for id in listed.split_whitespace() {
            docker(&["rm", "-fv", id]);
        }
    }
}

fn connect(cluster: ClusterId, node: NodeId) -> Arc<DockerDriver> {
    let config = DockerConfig {
        socket: SOCKET_DEFAULT.into(),
        cluster,
        cluster_name: "test".into(),
        node,
        node_name: "n1".into(),
    };
    DockerDriver::new(config)
}

fn docker(args: &[&str]) -> String {
    let output = Command::new("docker").args(args).output().expect("the docker command is installed");
    assert!(output.status.success(), "docker {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Builds the test image once: a busybox and nothing else.
fn image() {
    static BUILT: OnceLock<()> = OnceLock::new();
    BUILT.get_or_init(|| {
        let tar = Command::new("tar").args(["-C", "/bin", "-c", "busybox"]).output().unwrap();
        assert!(tar.status.success(), "a static /bin/busybox is needed (package busybox-static)");
        let mut import = Command::new("docker")
            .args(["import", "-", IMAGE])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        import.stdin.take().unwrap().write_all(&tar.stdout).unwrap();
        assert!(import.wait().unwrap().success(), "the test image could not be made");
    });
}

const ALL: LogQuery = LogQuery { stderr: false, follow: false, from_end: false, offset: 0 };

#[tokio::test]
async fn a_task_starts_once_and_ends_by_its_signal() {
    let bench = Bench::new("start-stop");
    let mut spec = bench.spec("web", "trap 'echo bye; exit 3' TERM; echo $WHO; while :; do /busybox sleep 0.1; done");
    spec.config.insert("labels".into(), json!({"team": "core", "sched.node": "forged"}));
    let first = bench.start(&spec).await;
    let second = bench.start(&spec).await;
    assert_eq!(first, second, "a start that is repeated finds the container");
    let inspected: Value = serde_json::from_str(&docker(&["inspect", &first.handle])).unwrap();
    let (config, host) = (&inspected[0]["Config"], &inspected[0]["HostConfig"]);
    assert_eq!(config["Labels"]["team"], "core");
    assert_eq!(config["Labels"]["sched.node"], bench.node.to_string(), "a jobspec can't forge the owner");
    assert_eq!(config["Labels"]["com.hashicorp.nomad.job_id"], "web");
    assert_eq!(host["Memory"], 32 << 20);
    assert_eq!(host["MemorySwap"], 32 << 20);
    assert_eq!(host["CpuShares"], 200);
    assert_eq!(host["Privileged"], false);
    assert!(bench.driver.usage(&first.handle).await.unwrap().memory_bytes > 0);
    let found = bench.driver.stop(&first.handle, "", Duration::from_secs(10)).await.unwrap();
    let Found::Exited { exit, started_at, finished_at, .. } = found else { panic!("it is gone: {found:?}") };
    assert_eq!((exit.code, exit.oom_killed), (3, false));
    assert!(started_at < finished_at && started_at == first.started_at);
    assert_eq!(bench.log(&first.handle, ALL).await, "basket\nbye\n");
    bench.driver.remove(&first.handle).await.unwrap();
    bench.driver.remove(&first.handle).await.unwrap();
    assert_eq!(bench.driver.list().await.unwrap(), []);
}

#[tokio::test]
async fn a_task_that_ignores_its_signal_is_ended_by_force() {
    let bench = Bench::new("force");
    let started = bench.start(&bench.spec("web", "trap '' TERM; while :; do /busybox sleep 0.1; done")).await;
    let found = bench.driver.stop(&started.handle, "SIGTERM", Duration::from_secs(1)).await.unwrap();
    assert!(matches!(found, Found::Exited { exit: Exit { code: 137, signal: 9, .. }, .. }), "{found:?}");
}

#[tokio::test]
async fn exit_codes_and_the_memory_limit_are_told_apart() {
    let bench = Bench::new("exits");
    let (started, exit) = bench.run(&bench.spec("web", "echo out; echo err >&2; exit 7")).await;
    assert_eq!((exit.code, exit.oom_killed), (7, false));
    assert_eq!(bench.log(&started.handle, LogQuery { stderr: true, ..ALL }).await, "err\n");
    let greedy = bench.spec("web", "exec /busybox dd if=/dev/zero of=/dev/null bs=200M count=1");
    let (again, exit) = bench.run(&greedy).await;
    assert_ne!(again.handle, started.handle, "a new start is a new container");
    assert_eq!((exit.code, exit.oom_killed), (137, true));
    let (_, exit) = bench.run(&bench.spec("web", "/busybox sh -c 'kill -9 $$'; exit $?")).await;
    assert_eq!((exit.code, exit.oom_killed), (137, false), "a kill by others is not the memory limit");
}

#[tokio::test]
async fn logs_are_read_from_an_offset_and_followed() {
    let bench = Bench::new("logs");
    let spec = bench.spec("web", "echo 0123456789; /busybox sleep 1; echo end");
    let started = bench.start(&spec).await;
    let followed = bench.log(&started.handle, LogQuery { follow: true, offset: 5, ..ALL }).await;
    assert_eq!(followed, "56789\nend\n");
    assert_eq!(bench.log(&started.handle, LogQuery { from_end: true, offset: 4, ..ALL }).await, "end\n");
    assert_eq!(bench.log(&started.handle, LogQuery { offset: 1000, ..ALL }).await, "");
    let missing = bench.driver.logs("no-such-container", ALL, mpsc::channel(1).0).await;
    assert!(matches!(missing, Err(DriverError::NotFound(_))), "{missing:?}");
}

#[tokio::test]
async fn a_second_driver_adopts_and_containers_of_others_are_not_touched() {
    let bench = Bench::new("adopt");
    let spec = bench.spec("web", "while :; do /busybox sleep 0.1; done");
    let started = bench.start(&spec).await;
    let label = format!("sched.cluster={}", bench.cluster);
    let foreign =
        docker(&["run", "-d", "--label", &label, "--label", "sched.node=other", IMAGE, "/busybox", "sleep", "60"]);
    let foreign = foreign.trim();

    let second = connect(bench.cluster, bench.node);
    let listed = second.list().await.unwrap();
    assert_eq!(listed.len(), 1, "only its own");
    let (handle, started_at) = (started.handle.clone(), started.started_at);
    assert_eq!(listed[0].found, Found::Running { handle, started_at });
    assert_eq!(second.start(&spec, &mpsc::unbounded_channel().0).await.unwrap(), started, "never a second copy");

    assert!(second.remove(foreign).await.is_err());
    let other_node = connect(bench.cluster, NodeId::derive(&[b"another"]));
    assert_eq!(other_node.list().await.unwrap(), []);
    assert!(other_node.remove(&started.handle).await.is_err());
    assert_eq!(docker(&["inspect", "-f", "{{.State.Running}}", foreign]).trim(), "true");
    assert_eq!(docker(&["inspect", "-f", "{{.State.Running}}", &started.handle]).trim(), "true");
}

#[tokio::test]
async fn tasks_of_a_group_share_the_network_on_which_its_ports_are_published() {
    let bench = Bench::new("pod");
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut network = bench.spec(NETWORK_TASK, "");
    network.config.clear();
    network.ports = vec![AssignedPort { label: "http".into(), value: free, to: 8080, host_ip: "127.0.0.1".into() }];
    network.hostname = "pod".into();
    let holder = bench.start(&network).await;
    assert!(holder.address.is_some(), "the shared namespace has an address");
    let shared = TaskNetwork::Shared(holder.handle.clone());
    let serve = "/busybox mkdir /www; echo hello > /www/index.html; exec /busybox httpd -f -p 127.0.0.1:8080 -h /www";
    let inside = TaskSpec { network: shared.clone(), ..bench.spec("inside", serve) };
    bench.start(&inside).await;
    let ask = "until /busybox wget -qO- http://127.0.0.1:8080/; do /busybox sleep 0.1; done; /busybox hostname";
    let asker = bench.start(&TaskSpec { network: shared, ..bench.spec("asker", ask) }).await;
    let said = bench.log(&asker.handle, LogQuery { follow: true, ..ALL }).await;
    assert_eq!(said, "hello\npod\n", "one task reaches the other by loopback");
    let published = docker(&["port", &holder.handle, "8080/tcp"]);
    assert_eq!(published.trim(), format!("127.0.0.1:{free}"));
    let found = bench.driver.stop(&holder.handle, "", Duration::from_secs(10)).await.unwrap();
    assert!(matches!(found, Found::Exited { exit: Exit { code: 0, .. }, .. }), "it ends by its signal: {found:?}");
}

#[tokio::test]
async fn a_port_of_the_group_is_published_where_the_task_names_it() {
    let bench = Bench::new("ports");
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut spec = bench.spec("web", "exec /busybox sleep 60");
    spec.ports = vec![AssignedPort { label: "http".into(), value: free, to: 8080, host_ip: "127.0.0.1".into() }];
    spec.config.insert("ports".into(), json!(["http"]));
    let started = bench.start(&spec).await;
    assert_eq!(docker(&["port", &started.handle, "8080/tcp"]).trim(), format!("127.0.0.1:{free}"));
    spec.config.insert("ports".into(), json!(["grpc"]));
    spec.allocation = AllocationId::derive(&[b"other"]);
    let error = bench.error(&spec).await;
    assert_eq!(error, DriverError::Invalid("config.ports: the group has no port \"grpc\"".into()));
}

#[tokio::test]
async fn a_missing_image_and_an_unknown_command_are_errors_that_say_so() {
    let bench = Bench::new("errors");
    let mut spec = bench.spec("web", "");
    spec.config.insert("image".into(), json!("127.0.0.1:9/no/such:1"));
    let error = bench.error(&spec).await;
    assert!(error.to_string().starts_with("image 127.0.0.1:9/no/such:1 can't be pulled"), "{error}");
    let mut spec = bench.spec("web", "");
    spec.config.insert("command".into(), json!("/no-such-command"));
    let error = bench.error(&spec).await;
    assert!(error.to_string().contains("no-such-command"), "{error}");
    assert_eq!(bench.driver.list().await.unwrap(), [], "what never ran is not left behind");
}

#[tokio::test]
async fn an_engine_that_is_away_is_unreachable_and_not_an_empty_node() {
    let config = DockerConfig {
        socket: "/nonexistent/docker.sock".into(),
        cluster: ClusterId::default(),
        cluster_name: String::new(),
        node: NodeId::default(),
        node_name: String::new(),
    };
    let driver = DockerDriver::new(config);
    assert!(matches!(driver.list().await, Err(DriverError::Unreachable(_))));
    let found = driver.fingerprint().await;
    assert!(!found.healthy && found.description.contains("/nonexistent/docker.sock"), "{found:?}");
}
