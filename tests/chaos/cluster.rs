//! Servers, each on a host of its own [network](super::net), and a few agents on the machine that run only what is
//! faked. A nemesis kills, pauses, deafens and replaces the servers; clients ask them over HTTP meanwhile.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use super::net::{self, Network};
use crate::audit::{self, Audited};
use crate::e2e::config::{DNS_PORT, HTTP_PORT, RPC_PORT};
use crate::e2e::http::{self, AskError, Reply};
use crate::e2e::process::Process;
use crate::e2e::sweeper::Sweeper;
use crate::e2e::{binary, command, config, runs_folder, wait};

/// The servers' names, as many as there can be.
pub const SERVERS: [&str; 5] = ["s1", "s2", "s3", "s4", "s5"];
/// The agents' names.
pub const AGENTS: [&str; 3] = ["n1", "n2", "n3"];

/// The first servers hold the key of the authority; the others can be replaced by servers that join.
pub const REPLACEABLE: [&str; 3] = ["s3", "s4", "s5"];

/// How long the cluster may take to be whole, at the beginning and after each strike.
pub const WHOLE_WITHIN: Duration = Duration::from_secs(60);
/// How long a server that is well may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);
/// How long a change of members may take to be answered.
const CHANGE_WITHIN: Duration = Duration::from_secs(12);

/// Clusters that this process has started.
static STARTED: AtomicU32 = AtomicU32::new(0);

/// A cluster that is made to suffer.
#[derive(Debug)]
pub struct Cluster {
    net: u8,
    folder: PathBuf,
    servers: &'static [&'static str],
    network: Network,
    /// How often each server was replaced by a new one.
    replaced: BTreeMap<&'static str, usize>,
    processes: BTreeMap<&'static str, Process>,
    // Dropped last: it kills what is still there and removes the network.
    _sweeper: Sweeper,
}

impl Cluster {
    /// Starts so many servers and waits until all vote and all agents are ready.
    #[track_caller]
    pub fn start(purpose: &str, servers: usize) -> Self {
        let process = std::process::id();
        let name = format!("chaos-{purpose}-{process}");
        // Addresses of its own: two runs side by side do not meet, except by great misfortune.
        let number = process.wrapping_add(STARTED.fetch_add(1, Ordering::Relaxed));
        let net = 7 + u8::try_from(number % 240).expect("less than 240");
        let folder = runs_folder().with_file_name("chaos").join(&name);
        std::fs::create_dir_all(&folder).expect("the target folder can be written to");
        let space = format!("sc{net}");
        let sweeper = Sweeper::with(&folder, &format!("sched.cluster_name={name}"), net::SWEEP, &space);
        let servers = &SERVERS[..servers];
        let network = Network::new(&space, net, servers);
        let (replaced, processes) = Default::default();
        let mut cluster = Self { net, folder, servers, network, replaced, processes, _sweeper: sweeper };
        cluster.bootstrap(&name);
        for server in servers {
            cluster.write_server(server, &format!("cluster_dir = \"{}/cluster\"", cluster.folder.display()), "");
            cluster.launch(server);
        }
        for agent in AGENTS {
            cluster.write(agent, &cluster.agent(agent));
            cluster.launch(agent);
        }
        cluster.await_whole();
        cluster
    }

    fn bootstrap(&self, name: &str) {
        let servers: Vec<String> = self.servers.iter().map(|server| format!("{server}={}", self.rpc(server))).collect();
        let folder = self.folder.join("cluster").display().to_string();
        let init = ["server", "init", "--name", name, "--dir", &folder, "--servers", &servers.join(",")];
        command::run(Command::new(binary()).args(init)).expect(0);
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.join(format!("{name}.hcl")), text).expect("the folder can be written to");
    }

    fn write_server(&self, name: &str, origin: &str, token: &str) {
        let (folder, address) = (self.folder.display(), self.network.address(name));
        let number = self.replaced.get(name).copied().unwrap_or(0);
        let shown = if number == 0 { name.to_owned() } else { format!("{name}-{number}") };
        let text = format!(
            r#"name      = "{shown}"
data_dir  = "{folder}/{shown}"
bind      = "{address}"
log_level = "info"
{token}

addresses {{
  http = "127.0.0.1"
}}

ports {{
  http = {HTTP_PORT}
  rpc  = {RPC_PORT}
  dns  = {DNS_PORT}
}}

server {{
  enabled = true
  {origin}
}}
"#
        );
        self.write(name, &text);
    }

    fn agent(&self, name: &str) -> String {
        let servers: Vec<String> = self.servers.iter().map(|server| format!("\"{}\"", self.rpc(server))).collect();
        let (folder, servers) = (self.folder.display(), servers.join(", "));
        let address = config::address(self.net, name);
        format!(
            r#"name      = "{name}"
data_dir  = "{folder}/{name}"
bind      = "{address}"
log_level = "info"

ports {{
  http = {HTTP_PORT}
  rpc  = {RPC_PORT}
  dns  = {DNS_PORT}
}}

client {{
  enabled           = true
  cluster_dir       = "{folder}/cluster"
  servers           = [{servers}]
  cpu_total_compute = 4000
  memory_total_mb   = 4096

  docker {{
    enabled = false
  }}

  fake {{
    enabled = true
  }}
}}
"#
        )
    }

    /// Waits until every server votes and answers, knows the leader, and every node is ready.
    #[track_caller]
    pub fn await_whole(&self) {
        wait::until("a whole cluster", WHOLE_WITHIN, || self.is_whole());
    }

    fn is_whole(&self) -> Result<(), String> {
        for server in self.servers {
            let members = self.get(server, "/v1/agent/members")?;
            let takes_part = |member: &&Value| member["Status"] == "alive" && member["Tags"]["voter"] == "true";
            let voters = members["Members"].as_array().into_iter().flatten().filter(takes_part).count();
            wait::check(voters == self.servers.len(), || format!("{server} sees {voters} voters: {members}"))?;
            let nodes = self.get(server, "/v1/nodes")?;
            let ready = nodes.as_array().into_iter().flatten().filter(|node| node["Status"] == "ready").count();
            wait::check(ready == AGENTS.len(), || format!("{server} sees {ready} nodes ready"))?;
        }
        Ok(())
    }

    // ---- Addresses and questions ----

    /// Where servers take requests of servers and agents.
    pub fn rpc(&self, server: &str) -> SocketAddr {
        (self.network.address(server), RPC_PORT).into()
    }

    /// Where a server answers HTTP.
    pub fn http(&self, server: &str) -> SocketAddr {
        (self.network.address(server), HTTP_PORT).into()
    }

    /// Where a server answers DNS.
    pub fn dns(&self, server: &str) -> SocketAddr {
        (self.network.address(server), DNS_PORT).into()
    }

    /// Where all servers answer HTTP.
    pub fn all_http(&self) -> Vec<SocketAddr> {
        self.servers.iter().map(|server| self.http(server)).collect()
    }

    /// The servers' names.
    pub fn servers(&self) -> &'static [&'static str] {
        self.servers
    }

    /// The answer of one server, if it is 200 and JSON.
    pub fn get(&self, server: &str, path: &str) -> Result<Value, String> {
        let reply = self.ask(server, "GET", path, "", ANSWER_WITHIN)?;
        match reply.status {
            200 => Ok(reply.json()),
            status => Err(format!("{server}{path}: {status} {}", reply.text())),
        }
    }

    fn ask(&self, server: &str, method: &str, path: &str, body: &str, within: Duration) -> Result<Reply, String> {
        http::ask(self.http(server), method, path, body.as_bytes(), within).map_err(|error| match error {
            AskError::NotSent(error) | AskError::NoAnswer(error) => format!("{server}{path}: {error}"),
        })
    }

    /// The server that leads in the highest term that any server tells of.
    pub fn leader(&self) -> Option<&'static str> {
        let own = self.servers.iter().filter_map(|server| {
            let own = self.get(server, "/v1/agent/self").ok()?;
            let term: u64 = own["stats"]["raft"]["term"].as_str()?.parse().ok()?;
            (own["stats"]["nomad"]["leader"] == "true").then_some((term, *server))
        });
        own.max().map(|(_, server)| server)
    }

    /// Waits for a leader.
    #[track_caller]
    pub fn await_leader(&self) -> &'static str {
        wait::until("a leader", WHOLE_WITHIN, || self.leader().ok_or_else(|| "no server leads".to_owned())).0
    }

    /// The index of the last entry that the leader has applied.
    #[track_caller]
    pub fn index(&self) -> u64 {
        let own = self.get(self.await_leader(), "/v1/agent/self").unwrap_or_else(|reason| panic!("{reason}"));
        own["stats"]["raft"]["applied_index"].as_str().and_then(|text| text.parse().ok()).expect("an index is told")
    }

    /// The resident memory of a process, in MiB.
    #[track_caller]
    pub fn memory_mb(&self, name: &str) -> u64 {
        let path = format!("/proc/{}/status", self.processes[name].id());
        let status = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a process has memory");
        line.split_whitespace().next().and_then(|kb| kb.parse::<u64>().ok()).expect("it is a number of kB") >> 10
    }

    // ---- Strikes ----

    /// Starts a process that does not run; waits for nothing.
    pub fn launch(&mut self, name: &'static str) {
        let file = self.folder.join(format!("{name}.hcl")).display().to_string();
        let log = self.folder.join(format!("{name}.log"));
        let process = if self.servers.contains(&name) {
            Process::agent_in(&self.network.space(name), &["-config", &file], &log)
        } else {
            Process::agent(&["-config", &file], &log)
        };
        self.processes.insert(name, process);
    }

    /// Kills a process by -9.
    #[track_caller]
    pub fn kill(&mut self, name: &str) {
        self.processes.remove(name).unwrap_or_else(|| panic!("{name} does not run")).kill();
    }

    /// Stops a process where it is.
    pub fn pause(&self, name: &str) {
        self.processes[name].pause();
    }

    /// Lets it go on.
    pub fn resume(&self, name: &str) {
        self.processes[name].resume();
    }

    /// From now on `server` hears nothing from these servers.
    pub fn deafen(&self, server: &str, to: &[&str]) {
        self.network.deafen(server, to);
    }

    /// Every server hears every other.
    pub fn connect_all(&self) {
        for server in self.servers {
            self.deafen(server, &[]);
        }
    }

    /// Whether it runs.
    pub fn runs(&self, name: &str) -> bool {
        self.processes.contains_key(name)
    }

    /// Lets a server go for ever, and starts one with an empty disk in its place, which joins under an id of its own.
    /// Goes through whichever of the first servers answers; tries until it has succeeded.
    #[track_caller]
    pub fn replace(&mut self, name: &'static str) {
        assert!(REPLACEABLE.contains(&name), "{name} holds the authority's key");
        let gone = self.rpc(name).to_string();
        wait::until("removal of a server", WHOLE_WITHIN, || {
            let id = self.through_any("GET", "/v1/agent/members", "").map(|members| {
                let one = members["Members"].as_array()?.iter().find(|one| one["Tags"]["rpc_addr"] == gone.as_str())?;
                one["Tags"]["id"].as_str().map(str::to_owned)
            })?;
            let Some(id) = id else { return Ok(()) };
            self.through_any("DELETE", &format!("/v1/server/{id}"), "")?;
            Err(format!("server {id} was just removed"))
        });
        if self.runs(name) {
            self.kill(name);
        }
        let mint = || self.through_any("PUT", "/v1/server/join-token", &json!({ "Role": "server" }).to_string());
        let (answer, _) = wait::until("a join token", WHOLE_WITHIN, mint);
        let token = answer["Token"].as_str().expect("the answer holds a token");
        let others: Vec<String> = (self.servers.iter().filter(|other| **other != name))
            .map(|other| format!("\"{}\"", self.rpc(other)))
            .collect();
        *self.replaced.entry(name).or_default() += 1;
        self.write_server(name, &format!("join = [{}]", others.join(", ")), &format!("join_token = \"{token}\""));
        self.launch(name);
    }

    fn through_any(&self, method: &str, path: &str, body: &str) -> Result<Value, String> {
        let mut reason = String::new();
        for server in self.servers.iter().filter(|server| !REPLACEABLE.contains(server) && self.runs(server)) {
            match self.ask(server, method, path, body, CHANGE_WITHIN) {
                Ok(reply) if reply.status == 200 => return Ok(reply.json()),
                Ok(reply) => reason = format!("{server}{path}: {} {}", reply.status, reply.text()),
                Err(error) => reason = error,
            }
        }
        Err(reason)
    }

    // ---- What happened ----

    /// Which servers led in which term so far, as their logs say.
    pub fn terms(&self) -> BTreeMap<u64, BTreeSet<&'static str>> {
        let mut terms: BTreeMap<u64, BTreeSet<&'static str>> = BTreeMap::new();
        for server in self.servers {
            let log = std::fs::read(self.folder.join(format!("{server}.log"))).unwrap_or_default();
            for term in String::from_utf8_lossy(&log).lines().filter_map(term_of) {
                terms.entry(term).or_default().insert(server);
            }
        }
        terms
    }

    /// Kills all servers and reads what they have in their logs.
    ///
    /// # Panics
    /// If that can't be read.
    pub fn audit(&mut self) -> Audited {
        for server in self.servers {
            if self.runs(server) {
                self.kill(server);
            }
        }
        audit::servers(&self.folder)
    }

    /// Prints the end of each process's log.
    pub fn show_logs(&self) {
        for process in self.processes.values() {
            eprintln!("{}\n", process.tail());
        }
    }
}

/// The term in which a server became the leader, if this line of its log says so.
fn term_of(line: &str) -> Option<u64> {
    let (_, said) = line.split_once("became the leader term=")?;
    said.trim().parse().ok()
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.show_logs();
        }
        for process in std::mem::take(&mut self.processes).into_values() {
            process.kill();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_term_is_read_from_the_log() {
        let line = "2026-11-25T22:35:57.574705Z  INFO server::raft::leadership: became the leader term=12";
        assert_eq!(term_of(line), Some(12));
        assert_eq!(term_of("2026-11-25T22:35:57.574705Z  INFO server::leader: leads term=12"), None);
    }
}
