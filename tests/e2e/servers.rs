//! Servers, and agents that run what is faked or have a Docker of their own: for what disks do to them. Each has a folder of its
//! own for its state, which may be a disk of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};

use super::cluster::SERVERS;
use super::command::{self, Outcome};
use super::http::Reply;
use super::process::Process;
use super::sweeper::Sweeper;
use super::{binary, config, http, runs_folder, wait};

/// How long servers may take to have a leader.
const READY_WITHIN: Duration = Duration::from_secs(30);
/// Loopback networks that one test process uses for these, beside that of its cluster with agents.
const NETS: u32 = 20;
/// Those of them that clusters have now.
static TAKEN: Mutex<BTreeSet<u8>> = Mutex::new(BTreeSet::new());

/// A loopback network that no other cluster of this process has, until it is dropped.
#[derive(Debug)]
struct Net(u8);

impl Net {
    /// The first free one from that of `number` on: what was given back last is used last.
    #[track_caller]
    fn take(number: u32) -> Self {
        let of = |step: u32| 7 + u8::try_from((std::process::id() + 100 + step % NETS) % 240).expect("less than 240");
        let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
        let free = (number..number + NETS).map(of).find(|net| taken.insert(*net));
        Self(free.expect("fewer clusters than networks"))
    }
}

impl Drop for Net {
    fn drop(&mut self) {
        TAKEN.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.0);
    }
}

/// Some servers and the folder of their run.
#[derive(Debug)]
pub struct Servers {
    folder: PathBuf,
    processes: BTreeMap<&'static str, Process>,
    // Dropped after those: it kills what is still there.
    _sweeper: Sweeper,
    // Dropped last: nobody listens there any more.
    net: Net,
}

impl Servers {
    /// Makes a cluster of the first `count` servers; none of them is started. `purpose` becomes part of its name.
    #[track_caller]
    pub fn new(purpose: &str, count: usize) -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let (process, number) = (std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        let net = Net::take(number);
        let folder = runs_folder().join(format!("e2e-{purpose}-{process}-{number}"));
        config::make(&folder);
        let sweeper = Sweeper::new(&folder, "sched.cluster_name=none");
        let servers = Self { folder, processes: BTreeMap::new(), _sweeper: sweeper, net };
        let addresses =
            SERVERS[..count].iter().map(|server| format!("{server}={}", config::rpc(servers.net.0, server)));
        let (cluster, addresses) = (servers.folder.join("cluster"), addresses.collect::<Vec<_>>().join(","));
        let cluster = cluster.display().to_string();
        servers.sched(&["server", "init", "--name", purpose, "--dir", &cluster, "--servers", &addresses]).expect(0);
        for server in &SERVERS[..count] {
            let file = servers.folder.join(format!("{server}.hcl"));
            std::fs::write(file, config::file(servers.net.0, server, &servers.folder))
                .expect("the folder can be written to");
        }
        servers
    }

    /// Starts a server, or an agent whose file is there.
    pub fn launch(&mut self, server: &'static str) {
        let process = Process::agent(&["-config", &self.file(server)], &self.log(server));
        self.processes.insert(server, process);
    }

    /// Starts an agent that runs what is faked.
    #[track_caller]
    pub fn launch_agent(&mut self, agent: &'static str) {
        self.launch_agent_with(agent, "enabled = false");
    }

    /// Starts an agent that runs containers in the engine that listens there.
    #[track_caller]
    pub fn launch_docker_agent(&mut self, agent: &'static str, socket: &Path) {
        self.launch_agent_with(agent, &format!("enabled = true\n    socket = \"{}\"", socket.display()));
    }

    #[track_caller]
    fn launch_agent_with(&mut self, agent: &'static str, docker: &str) {
        let file = config::file(self.net.0, agent, &self.folder);
        let changed = file.replace("docker {\n    enabled = true", &format!("docker {{\n    {docker}"));
        assert_ne!(file, changed, "the agent has the Docker of all otherwise");
        std::fs::write(self.file(agent), changed).expect("the folder can be written to");
        self.launch(agent);
    }

    /// Starts a server whose system calls fail or wait as `faults` says. Gives the file in which each call is noted.
    pub fn launch_faulty(&mut self, server: &'static str, faults: &[&str]) -> PathBuf {
        let trace = self.folder.join(format!("{server}.trace"));
        let process = Process::traced_agent(faults, &trace, &["-config", &self.file(server)], &self.log(server));
        self.processes.insert(server, process);
        trace
    }

    fn file(&self, server: &str) -> String {
        self.folder.join(format!("{server}.hcl")).display().to_string()
    }

    fn log(&self, server: &str) -> PathBuf {
        self.folder.join(format!("{server}.log"))
    }

    /// Waits until there is a leader and all servers that were started vote: a server that is lost before the others do may
    /// leave too few of them.
    #[track_caller]
    pub fn await_leader(&self) {
        let servers = self.processes.keys().filter(|name| SERVERS.contains(name)).count();
        wait::until("a leader, and that all servers vote", READY_WITHIN, || {
            let get = |path| self.request("s1", "GET", path, "").map_err(|error| error.to_string());
            let leader = get("/v1/status/leader")?;
            wait::check(leader.status == 200, || leader.text())?;
            let members = get("/v1/agent/members")?.json();
            let votes = |member: &&Value| member["Tags"]["voter"] == "true";
            let voters = members["Members"].as_array().into_iter().flatten().filter(votes).count();
            wait::check(voters == servers, || format!("{voters} servers vote: {members}"))
        });
    }

    /// The name of the server that leads, once there is one.
    #[track_caller]
    pub fn leader(&self) -> &'static str {
        let look = || {
            let leader = self.request("s1", "GET", "/v1/status/leader", "").map_err(|error| error.to_string())?;
            let address = leader.json().as_str().unwrap_or_default().to_owned();
            let is_leader = |server: &&str| config::rpc(self.net.0, server).to_string() == address;
            SERVERS.into_iter().find(is_leader).ok_or_else(|| format!("the leader is `{address}`"))
        };
        wait::until("a leader", READY_WITHIN, look).0
    }

    /// A server's process, which was started.
    pub fn process(&mut self, server: &str) -> &mut Process {
        self.processes.get_mut(server).unwrap_or_else(|| panic!("{server} was not started"))
    }

    /// Kills a server by -9.
    pub fn kill(&mut self, server: &str) {
        if let Some(process) = self.processes.remove(server) {
            process.kill();
        }
    }

    /// Registers a job that is only kept, or run by an agent that fakes it. Its document is at least `bytes` long.
    pub fn register(&self, server: &str, job: &str, bytes: usize) -> std::io::Result<Reply> {
        let task = json!({ "Name": "t", "Driver": "fake", "Config": {} });
        let group = json!({ "Name": "g", "Count": 1, "Tasks": [task] });
        self.register_group(server, job, bytes, group)
    }

    /// Registers a job of one container without a network, which is tried again each second where it does not start.
    pub fn register_container(&self, server: &str, job: &str) -> std::io::Result<Reply> {
        let resources = json!({ "CPU": 20, "MemoryMB": 32 });
        let config = json!({ "image": "basket:demo" });
        let task = json!({ "Name": "t", "Driver": "docker", "Config": config, "Resources": resources });
        let second = 1_000_000_000_u64;
        let restart = json!({ "Attempts": 100, "Interval": 3600 * second, "Delay": second, "Mode": "delay" });
        let networks = json!([{ "Mode": "none" }]);
        let group = json!({ "Name": "g", "Count": 1, "Tasks": [task], "Networks": networks, "RestartPolicy": restart });
        self.register_group(server, job, 0, group)
    }

    fn register_group(&self, server: &str, job: &str, bytes: usize, group: Value) -> std::io::Result<Reply> {
        let job = json!({
            "ID": job, "Name": job, "Type": "service", "Datacenters": ["*"], "TaskGroups": [group],
            "Meta": { "ballast": "x".repeat(bytes) },
        });
        self.request(server, "PUT", "/v1/jobs", &json!({ "Job": job }).to_string())
    }

    /// The names of all jobs.
    #[track_caller]
    pub fn jobs(&self, server: &str) -> Vec<String> {
        let jobs = self.request(server, "GET", "/v1/jobs", "").expect("the server answers");
        assert_eq!(jobs.status, 200, "{}", jobs.text());
        let jobs = jobs.json();
        let names = jobs.as_array().into_iter().flatten().filter_map(|job| job["ID"].as_str());
        names.map(str::to_owned).collect()
    }

    /// One request to one server.
    pub fn request(&self, server: &str, method: &str, path: &str, body: &str) -> std::io::Result<Reply> {
        http::send(self.http(server), method, path, body.as_bytes())
    }

    /// Where a server answers HTTP.
    pub fn http(&self, server: &str) -> SocketAddr {
        config::http(self.net.0, server)
    }

    /// Runs `sched` against a server.
    #[track_caller]
    pub fn sched(&self, arguments: &[&str]) -> Outcome {
        let mut command = Command::new(binary());
        command.env("SCHED_ADDR", format!("http://{}", self.http("s1")));
        command::run(command.args(arguments))
    }

    /// Where a server keeps its state.
    pub fn state(&self, server: &str) -> PathBuf {
        self.folder.join(server)
    }

    /// Whether a server's log says this.
    pub fn says(&self, server: &str, words: &str) -> bool {
        std::fs::read_to_string(self.log(server)).is_ok_and(|log| log.contains(words))
    }

    /// The folder of this run.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What a server's metrics or status say of something; null if it does not answer.
    pub fn get(&self, server: &str, path: &str) -> Value {
        self.request(server, "GET", path, "").map(|reply| reply.json()).unwrap_or_default()
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        for process in std::mem::take(&mut self.processes).into_values() {
            process.kill();
        }
    }
}
