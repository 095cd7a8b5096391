//! A cluster of three servers and three agents, one process each. Tests kill and start its processes, and ask it as
//! users do. Everything that it leaves behind is swept away when it is dropped.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use super::auditor::{Auditor, Findings};
use super::command::{self, Outcome};
use super::docker::{self, Container};
use super::http::Reply;
use super::process::Process;
use super::sweeper::Sweeper;
use super::{binary, checkout, config, dns, http, runs_folder, wait};
use crate::audit::{self, Audited};

/// The servers' names.
pub const SERVERS: [&str; 3] = ["s1", "s2", "s3"];
/// The agents' names.
pub const AGENTS: [&str; 3] = ["n1", "n2", "n3"];

/// How long a cluster may take to be ready, or to be as new again.
const READY_WITHIN: Duration = Duration::from_secs(45);

/// A running cluster.
#[derive(Debug)]
pub struct Cluster {
    name: String,
    net: u8,
    folder: PathBuf,
    processes: BTreeMap<&'static str, Process>,
    auditor: Auditor,
    // Dropped last: it kills what is still there.
    _sweeper: Sweeper,
}

impl Cluster {
    /// Starts all six and waits until every node is ready. `purpose` becomes part of the cluster's name.
    #[track_caller]
    pub fn start(purpose: &str) -> Self {
        docker::must_be_ready();
        let process = std::process::id();
        let name = format!("e2e-{purpose}-{process}");
        // Loopback addresses of its own: two runs side by side do not meet, except by great misfortune.
        let net = 7 + u8::try_from(process % 240).expect("less than 240");
        let folder = runs_folder().join(&name);
        config::make(&folder);
        let label = label(&name);
        let sweeper = Sweeper::new(&folder, &label);
        let auditor = Auditor::begin(label, SERVERS.map(|server| config::http(net, server)).to_vec());
        let mut cluster = Self { name, net, folder, processes: BTreeMap::new(), auditor, _sweeper: sweeper };
        cluster.bootstrap();
        for name in SERVERS.into_iter().chain(AGENTS) {
            let file = cluster.folder.join(format!("{name}.hcl"));
            std::fs::write(file, config::file(net, name, &cluster.folder)).expect("the folder can be written to");
            cluster.launch(name);
        }
        cluster.await_ready();
        cluster
    }

    fn bootstrap(&self) {
        let servers = SERVERS.map(|server| format!("{server}={}", config::rpc(self.net, server))).join(",");
        let folder = self.folder.join("cluster").display().to_string();
        self.sched(&["server", "init", "--name", &self.name, "--dir", &folder, "--servers", &servers]).expect(0);
    }

    /// Makes it as new: every process up, every node ready and eligible, no job and no container left.
    #[track_caller]
    pub fn reset(&mut self) {
        for name in SERVERS.into_iter().chain(AGENTS) {
            if !self.processes.get_mut(name).is_some_and(Process::runs) {
                self.launch(name);
            }
        }
        self.await_ready();
        for node in self.get("/v1/nodes").as_array().into_iter().flatten() {
            let id = node["ID"].as_str().unwrap_or_default();
            if node["Drain"] == true || node["SchedulingEligibility"] != "eligible" {
                self.put(&format!("/v1/node/{id}/drain"), r#"{"DrainSpec":null,"MarkEligible":true}"#);
            }
        }
        for job in self.get("/v1/jobs").as_array().into_iter().flatten() {
            let id = job["ID"].as_str().unwrap_or_default();
            self.send("DELETE", &format!("/v1/job/{id}?purge=true"), "");
        }
        let (ended, _) = wait::until("end of all containers", READY_WITHIN, || {
            // One that is about to begin has no container yet.
            let open = self.get("/v1/allocations");
            let holds =
                |one: &&Value| ["pending", "running", "unknown"].map(Value::from).contains(&one["ClientStatus"]);
            let open = open.as_array().into_iter().flatten().filter(holds).count();
            wait::check(open == 0, || format!("{open} allocations are not over"))?;
            let left = self.containers();
            wait::check(left.iter().all(|one| !one.running), || format!("{left:#?}")).map(|()| left)
        });
        // Agents keep some that have ended, for their logs.
        docker::remove(&ended);
    }

    fn await_ready(&self) {
        wait::until("a leader and three ready nodes", READY_WITHIN, || {
            for server in SERVERS {
                self.try_get_from(server, "/v1/agent/self")?;
            }
            let members = self.try_get("/v1/agent/members")?;
            let takes_part = |member: &&Value| member["Status"] == "alive" && member["Tags"]["voter"] == "true";
            let voters = members["Members"].as_array().into_iter().flatten().filter(takes_part).count();
            wait::check(voters == SERVERS.len(), || format!("{voters} servers vote: {members}"))?;
            let nodes = self.try_get("/v1/nodes")?;
            let ready = nodes.as_array().into_iter().flatten().filter(|node| node["Status"] == "ready").count();
            wait::check(ready == AGENTS.len(), || format!("{ready} nodes are ready"))
        });
    }

    // ---- Processes ----

    /// Starts a process that does not run; waits for nothing.
    pub fn launch(&mut self, name: &'static str) {
        let file = self.folder.join(format!("{name}.hcl")).display().to_string();
        let log = self.folder.join(format!("{name}.log"));
        self.processes.insert(name, Process::agent(&["-config", &file], &log));
    }

    /// Kills a process by -9.
    #[track_caller]
    pub fn kill(&mut self, name: &str) {
        self.processes.remove(name).unwrap_or_else(|| panic!("{name} does not run")).kill();
    }

    /// The loss of a host: its agent is killed by -9, then all its containers at once. Gives what was lost.
    #[track_caller]
    pub fn lose_node(&mut self, name: &str) -> Vec<Container> {
        let lost: Vec<Container> = self.containers().into_iter().filter(|one| one.node == name).collect();
        self.kill(name);
        docker::remove(&lost);
        lost
    }

    /// Kills all servers and reads what they have in their logs.
    ///
    /// # Panics
    /// If that can't be read.
    pub fn audit(&mut self) -> Audited {
        for server in self.servers_up() {
            self.kill(server);
        }
        audit::servers(&self.folder)
    }

    /// What was seen of containers and servers beside what the tests looked at, since this was last asked.
    pub fn findings(&self) -> Findings {
        self.auditor.findings()
    }

    /// Prints the end of each process's log.
    pub fn show_logs(&self) {
        for process in self.processes.values() {
            eprintln!("{}\n", process.tail());
        }
    }

    // ---- Addresses ----

    /// Where a server answers HTTP.
    pub fn http(&self, server: &str) -> SocketAddr {
        config::http(self.net, server)
    }

    /// The address of a process, as text.
    pub fn address(&self, name: &str) -> String {
        config::address(self.net, name).to_string()
    }

    /// All servers as `SCHED_ADDR` takes them.
    pub fn addresses(&self) -> String {
        SERVERS.map(|server| format!("http://{}", self.http(server))).join(",")
    }

    /// The label that all containers of this cluster bear.
    pub fn label(&self) -> String {
        label(&self.name)
    }

    /// The servers that run.
    pub fn servers_up(&self) -> Vec<&'static str> {
        SERVERS.into_iter().filter(|server| self.processes.contains_key(server)).collect()
    }

    /// The name of the server that leads, once there is one.
    #[track_caller]
    pub fn leader(&self) -> &'static str {
        let look = || {
            let leader = self.try_get("/v1/status/leader")?;
            let address = leader.as_str().unwrap_or_default();
            let name = SERVERS.into_iter().find(|server| config::rpc(self.net, server).to_string() == address);
            name.filter(|name| self.processes.contains_key(name)).ok_or_else(|| format!("the leader is `{address}`"))
        };
        wait::until("a leader", READY_WITHIN, look).0
    }

    /// A server that runs and does not lead.
    #[track_caller]
    pub fn follower(&self) -> &'static str {
        let leader = self.leader();
        let follower = SERVERS.into_iter().find(|server| *server != leader && self.processes.contains_key(server));
        follower.expect("two servers run")
    }

    // ---- Questions ----

    /// Runs `sched` with these arguments against all servers.
    #[track_caller]
    pub fn sched(&self, arguments: &[&str]) -> Outcome {
        command::run(self.command().args(arguments))
    }

    /// `sched`, told where the servers are.
    pub fn command(&self) -> Command {
        let mut command = Command::new(binary());
        command.env("SCHED_ADDR", self.addresses()).env_remove("SCHED_NAMESPACE").env_remove("NOMAD_NAMESPACE");
        command.current_dir(checkout());
        command
    }

    /// Runs a file of `jobspecs/` and follows it to its end.
    #[track_caller]
    pub fn run_example(&self, file: &str) -> Outcome {
        self.sched(&["job", "run", &format!("jobspecs/{file}")])
    }

    /// Writes a file for this cluster and gives its path.
    pub fn write(&self, file: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.folder.join(file);
        std::fs::write(&path, content).expect("the folder can be written to");
        path.display().to_string()
    }

    /// A file of `jobspecs/`, changed: every pair must occur in it.
    #[track_caller]
    pub fn variant(&self, file: &str, changes: &[(&str, &str)]) -> String {
        let mut text = std::fs::read_to_string(checkout().join("jobspecs").join(file)).expect("the example is there");
        for (from, to) in changes {
            assert!(text.contains(from), "`{from}` is missing in {file}");
            text = text.replace(from, to);
        }
        self.write(file, text)
    }

    /// The folder of this run.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The answer of the first server that gives one.
    pub fn try_get(&self, path: &str) -> Result<Value, String> {
        let mut reason = "no server runs".to_owned();
        for server in SERVERS.into_iter().filter(|server| self.processes.contains_key(server)) {
            match self.try_get_from(server, path) {
                Ok(value) => return Ok(value),
                Err(why) => reason = why,
            }
        }
        Err(reason)
    }

    /// The answer of one server, if it is 200 and JSON.
    pub fn try_get_from(&self, server: &str, path: &str) -> Result<Value, String> {
        let reply = self.request(server, "GET", path, "").map_err(|error| format!("{server}{path}: {error}"))?;
        match reply.status {
            200 => Ok(reply.json()),
            status => Err(format!("{server}{path}: {status} {}", reply.text())),
        }
    }

    /// As [`Cluster::try_get`], while it must work.
    #[track_caller]
    pub fn get(&self, path: &str) -> Value {
        self.try_get(path).unwrap_or_else(|reason| panic!("{reason}"))
    }

    /// Changes something; a server that answers must accept it.
    #[track_caller]
    pub fn put(&self, path: &str, body: &str) -> Value {
        self.send("PUT", path, body)
    }

    #[track_caller]
    fn send(&self, method: &str, path: &str, body: &str) -> Value {
        let mut reason = "no server runs".to_owned();
        for server in SERVERS.into_iter().filter(|server| self.processes.contains_key(server)) {
            match self.request(server, method, path, body) {
                Ok(reply) if reply.status == 200 => return reply.json(),
                Ok(reply) => reason = format!("{} {}", reply.status, reply.text()),
                Err(error) => reason = error.to_string(),
            }
        }
        panic!("{method} {path}: {reason}");
    }

    /// One request to one server.
    pub fn request(&self, server: &str, method: &str, path: &str, body: &str) -> std::io::Result<Reply> {
        http::send(self.http(server), method, path, body.as_bytes())
    }

    /// What a server's DNS says.
    pub fn dig(&self, server: &str, name: &str, kind: &str, options: &[&str]) -> dns::Answer {
        dns::ask((config::address(self.net, server), config::DNS_PORT).into(), name, kind, options)
    }

    // ---- What runs ----

    /// All containers of this cluster.
    pub fn containers(&self) -> Vec<Container> {
        docker::containers(&self.label())
    }

    /// The running containers of a job.
    pub fn running(&self, job: &str) -> Vec<Container> {
        self.containers().into_iter().filter(|one| one.running && one.job == job).collect()
    }

    /// The allocations of a job, of which the cluster wants to run.
    pub fn wanted(&self, job: &str) -> Result<Vec<Value>, String> {
        let all = self.try_get(&format!("/v1/job/{job}/allocations"))?;
        let all = all.as_array().cloned().unwrap_or_default();
        Ok(all.into_iter().filter(|one| one["DesiredStatus"] == "run" && one["ClientStatus"] == "running").collect())
    }

    /// The instances of a service that the catalog of a server shows.
    pub fn instances(&self, server: &str, service: &str) -> Result<Vec<Value>, String> {
        let found = self.try_get_from(server, &format!("/v1/service/{service}"))?;
        found.as_array().cloned().ok_or_else(|| format!("no list: {found}"))
    }

    /// Waits until the catalog of every running server shows this many instances.
    #[track_caller]
    pub fn await_instances(&self, service: &str, count: usize, within: Duration) -> Duration {
        let look = || {
            for server in SERVERS.into_iter().filter(|server| self.processes.contains_key(server)) {
                let found = self.instances(server, service)?.len();
                wait::check(found == count, || format!("{server} shows {found} instances of {service}"))?;
            }
            Ok(())
        };
        wait::until(&format!("{count} instances of {service}"), within, look).1
    }

    /// The id of a node.
    #[track_caller]
    pub fn node_id(&self, name: &str) -> String {
        let nodes = self.get("/v1/nodes");
        let node = nodes.as_array().into_iter().flatten().find(|node| node["Name"] == name);
        node.and_then(|node| node["ID"].as_str()).unwrap_or_else(|| panic!("{name} is no node")).to_owned()
    }

    /// Waits until a node has this status.
    #[track_caller]
    pub fn await_node(&self, name: &str, status: &str, within: Duration) {
        wait::until(&format!("{name} {status}"), within, || {
            let nodes = self.try_get("/v1/nodes")?;
            let node = nodes.as_array().into_iter().flatten().find(|node| node["Name"] == name);
            let found = node.map(|node| node["Status"].clone()).unwrap_or_default();
            wait::check(found == status, || format!("it is {found}"))
        });
    }
}

fn label(cluster: &str) -> String {
    format!("sched.cluster_name={cluster}")
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for process in std::mem::take(&mut self.processes).into_values() {
            process.kill();
        }
    }
}

/// The address of an instance in the catalog.
#[track_caller]
pub fn socket(instance: &Value) -> SocketAddr {
    let text = format!("{}:{}", instance["Address"].as_str().unwrap_or_default(), instance["Port"]);
    text.parse().unwrap_or_else(|_| panic!("`{text}` is no address"))
}
