//! Three servers as processes of the binary: logs on disk and synced, mutual TLS on loopback. Nothing of it is left when
//! it is dropped, but the servers' output.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use server::authority::Authority;

use super::browse::Client;
use super::cpu::Cpu;
use super::runs_folder;
use crate::e2e::process::Process;
use crate::e2e::sweeper::Sweeper;
use crate::e2e::{binary, command, config, http, wait};

/// The servers' names.
pub const SERVERS: [&str; 3] = ["s1", "s2", "s3"];
/// By how much the servers stand back behind agents and client where both want a core. On real hosts agents have cores
/// of their own; here late beats of a starved agent would count as a lost node. It makes the servers slower, not faster.
const NICE: &str = "5";
/// How long the servers may take to elect a leader and to vote all.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// Three running servers.
pub struct Cluster {
    net: u8,
    folder: PathBuf,
    processes: Vec<Process>,
    // Dropped last: it kills the processes and removes what they kept.
    _sweeper: Sweeper,
}

/// How often nodes were silent for too long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Silences {
    /// For three beats.
    pub suspect: usize,
    /// So long that they were given up.
    pub down: usize,
}

impl Cluster {
    /// Starts them and waits until all three vote.
    pub fn start(number: usize) -> Result<Self, String> {
        let process = std::process::id() as usize;
        let name = format!("bench-{process}-{number}");
        // Loopback addresses of its own: two runs side by side do not meet, except by great misfortune.
        let net = 7 + u8::try_from((process + number) % 240).expect("less than 240");
        let folder = runs_folder().join(&name);
        std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let sweeper = Sweeper::new(&folder, &format!("sched.cluster_name={name}"));
        let servers = SERVERS.map(|server| format!("{server}={}", config::rpc(net, server))).join(",");
        let certificates = folder.join("cluster").display().to_string();
        let init = ["server", "init", "--name", &name, "--dir", &certificates, "--servers", &servers];
        command::run(Command::new(binary()).args(init)).expect(0);
        let mut cluster = Self { net, folder, processes: Vec::new(), _sweeper: sweeper };
        for server in SERVERS {
            let file = cluster.folder.join(format!("{server}.hcl"));
            let text = config::file(net, server, &cluster.folder);
            std::fs::write(&file, text).map_err(|error| format!("{}: {error}", file.display()))?;
            let log = cluster.folder.join(format!("{server}.log"));
            cluster.processes.push(Process::nice_agent(NICE, &["-config", &file.display().to_string()], &log));
        }
        cluster.await_ready();
        Ok(cluster)
    }

    fn await_ready(&self) {
        wait::until("three servers that vote", READY_WITHIN, || {
            for address in self.http() {
                let reply = http::send(address, "GET", "/v1/agent/members", b"").map_err(|error| error.to_string())?;
                let members = reply.json();
                let votes =
                    |member: &&serde_json::Value| member["Status"] == "alive" && member["Tags"]["voter"] == "true";
                let voters = members["Members"].as_array().into_iter().flatten().filter(votes).count();
                wait::check(voters == SERVERS.len(), || format!("{voters} servers vote: {members}"))?;
            }
            Ok(())
        });
    }

    /// Where the servers answer HTTP.
    pub fn http(&self) -> [SocketAddr; 3] {
        SERVERS.map(|server| config::http(self.net, server))
    }

    /// Where the servers answer agents, by server id.
    pub fn rpc(&self) -> [(model::ServerId, SocketAddr); 3] {
        [1, 2, 3].map(|id| (id, config::rpc(self.net, SERVERS[id as usize - 1])))
    }

    /// The cluster's authority, which makes the agents' certificates.
    pub fn authority(&self) -> Result<Authority, String> {
        Authority::load(&self.folder.join("cluster")).map_err(|error| error.to_string())
    }

    /// CPU time so far.
    pub fn cpu(&self) -> Cpu {
        Cpu::look(&self.ids())
    }

    /// The servers' process ids.
    pub fn ids(&self) -> Vec<u32> {
        self.processes.iter().map(Process::id).collect()
    }

    /// How often agents are asked to beat at present, as a server has heard it.
    pub async fn beat_interval(&self) -> Result<Duration, String> {
        let figures = Client::connect(self.http()[0]).await?.get("/v1/metrics").await?.json;
        let gauges = figures["Gauges"].as_array().into_iter().flatten();
        let interval = gauges.into_iter().find(|gauge| gauge["Name"] == "sched.beat_interval_milliseconds");
        let milliseconds = interval.and_then(|gauge| gauge["Value"].as_u64());
        milliseconds.map(Duration::from_millis).ok_or_else(|| "no server says how often agents beat".into())
    }

    /// How often a leader called a node suspect, and how often down, as the servers' logs say.
    pub fn silences(&self) -> Silences {
        let logs = SERVERS.map(|server| std::fs::read_to_string(self.folder.join(format!("{server}.log"))));
        let mut silences = Silences::default();
        for line in logs.iter().flatten().flat_map(|log| log.lines()) {
            silences.suspect += usize::from(line.contains("node changes its status") && line.contains("=Suspect"));
            silences.down += usize::from(line.contains("node is down"));
        }
        silences
    }

    /// The ends of the servers' logs.
    pub fn tails(&self) -> String {
        self.processes.iter().map(Process::tail).collect::<Vec<_>>().join("\n")
    }
}
