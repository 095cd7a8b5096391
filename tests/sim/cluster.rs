//! Three servers and three agents on the twins, each of which can be killed and started again.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use client_agent::drivers::fake::FakeDriver;
use client_agent::{AgentConfig, AgentSeams, FixedHost, MemoryStore};
use model::{ClusterId, NodeId, ServerId};
use proto::net::{Caller, Peer};
use seams::testing::MemoryDisk;
use seams::{Blocking, Random, Workers};
use server::raft::{Sizes, Timings};
use server::server::{Server, ServerConfig, ServerSeams};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::clock::SimClock;
use super::net::SimNet;
use super::seed::SeededRandom;
use super::trace::Trace;

/// Servers of a simulated cluster.
pub const SERVERS: u64 = 3;
/// Agents of a simulated cluster.
pub const AGENTS: u64 = 3;

/// A simulated cluster.
pub struct SimCluster {
    pub random: Arc<SeededRandom>,
    pub clock: Arc<SimClock>,
    pub trace: Arc<Trace>,
    net: SimNet,
    id: ClusterId,
    servers: BTreeMap<ServerId, SimServer>,
    agents: BTreeMap<u64, SimAgent>,
}

struct SimServer {
    disk: MemoryDisk,
    running: Option<(Server, CancellationToken)>,
}

struct SimAgent {
    node: NodeId,
    store: Arc<MemoryStore>,
    /// What it "runs" outlives the agent, as containers do.
    driver: Arc<FakeDriver>,
    plug: Option<CancellationToken>,
}

impl SimCluster {
    /// Starts all servers and agents.
    pub async fn start(seed: u64) -> Self {
        let random = Arc::new(SeededRandom::new(seed));
        let clock = Arc::new(SimClock::start());
        let mut cluster = Self {
            net: SimNet::new(Arc::new(SeededRandom::new(random.next_u64()))),
            trace: Trace::new(clock.clone()),
            id: ClusterId::derive(&[b"simulation"]),
            servers: BTreeMap::new(),
            agents: BTreeMap::new(),
            random,
            clock,
        };
        for id in 1..=SERVERS {
            cluster.servers.insert(id, SimServer { disk: MemoryDisk::default(), running: None });
            cluster.start_server(id).await;
        }
        for number in 1..=AGENTS {
            let agent = SimAgent {
                node: NodeId::derive(&[b"node", &number.to_le_bytes()]),
                store: Arc::new(MemoryStore::default()),
                driver: FakeDriver::new(cluster.clock.clone(), seed),
                plug: None,
            };
            cluster.agents.insert(number, agent);
            cluster.start_agent(number);
        }
        cluster
    }

    /// Starts a server from what its disk holds.
    pub async fn start_server(&mut self, id: ServerId) {
        self.trace.say(format_args!("-- server {id} starts"));
        let plug = CancellationToken::new();
        let server = self.servers.get_mut(&id).expect("servers are numbered from 1");
        let config = ServerConfig {
            id,
            cluster: self.id,
            name: format!("s{id}"),
            address: address(id),
            http_address: String::new(),
            folder: PathBuf::from("/data"),
            begins_cluster: id == 1,
            peers: (1..=SERVERS).map(|id| Peer::server(id, address(id))).collect(),
            authority: None,
            join_tokens: Vec::new(),
            timings: Timings::default(),
            // Small, so that every run takes snapshots and drops entries.
            sizes: Sizes { snapshot_after_entries: 200, trailing_entries: 50, ..Sizes::default() },
        };
        let seams = ServerSeams {
            dialer: self.net.dialer(Caller::Server { cluster: self.id, id }, plug.clone()),
            disk: Arc::new(server.disk.clone()),
            clock: self.clock.clone(),
            random: Arc::new(SeededRandom::new(self.random.next_u64())),
            blocking: Blocking::Inline,
            consensus: Workers::shared(),
            witness: Some(self.trace.witness(id)),
        };
        let running = Server::start(config, seams, CancellationToken::new()).await.expect("its disk is sound");
        self.net.listen(&address(id), Arc::new(running.clone()), plug.clone());
        server.running = Some((running, plug));
    }

    /// Kills a server: what it had not synced is lost.
    pub async fn kill_server(&mut self, id: ServerId) {
        self.trace.say(format_args!("-- server {id} is killed"));
        let server = self.servers.get_mut(&id).expect("servers are numbered from 1");
        let Some((running, plug)) = server.running.take() else { return };
        plug.cancel();
        server.disk.crash();
        running.kill().await;
        // What its tasks wrote after the crash is lost too.
        server.disk.crash();
    }

    /// Starts an agent from what its store holds.
    pub fn start_agent(&mut self, number: u64) {
        self.trace.say(format_args!("-- agent {number} starts"));
        let plug = CancellationToken::new();
        let agent = self.agents.get_mut(&number).expect("agents are numbered from 1");
        let mut config = AgentConfig::new(self.id, agent.node, format!("n{number}"));
        config.address = format!("10.0.0.{number}");
        config.cpu_total_compute_mhz = Some(2000);
        config.memory_total_mb = Some(2048);
        config.disk_total_mb = Some(10_000);
        config.servers = (1..=SERVERS).map(|id| Peer::server(id, address(id))).collect();
        let seams = AgentSeams {
            dialer: self.net.dialer(Caller::Agent { cluster: self.id, node: agent.node }, plug.clone()),
            clock: self.clock.clone(),
            random: Arc::new(SeededRandom::new(self.random.next_u64())),
            drivers: vec![agent.driver.clone()],
            store: agent.store.clone(),
            host: Arc::new(FixedHost::default()),
        };
        let running = client_agent::run(config, seams, CancellationToken::new());
        let ends = plug.clone();
        tokio::spawn(async move {
            tokio::select! {
                biased;
                () = ends.cancelled() => {}
                _ = running => {}
            }
        });
        agent.plug = Some(plug);
    }

    /// Kills an agent, and with `and_containers` everything that it runs.
    pub fn kill_agent(&mut self, number: u64, and_containers: bool) {
        self.trace.say(format_args!(
            "-- agent {number} is killed, its containers {}",
            if and_containers { "too" } else { "run on" }
        ));
        let agent = self.agents.get_mut(&number).expect("agents are numbered from 1");
        if let Some(plug) = agent.plug.take() {
            plug.cancel();
        }
        if and_containers {
            agent.driver.kill_all();
        }
    }

    /// The server that leads, once one does.
    pub async fn leader(&self) -> Server {
        loop {
            for (running, _) in self.servers.values().filter_map(|server| server.running.as_ref()) {
                if running.raft().leader().borrow().is_leader {
                    return running.clone();
                }
            }
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// All servers that run.
    pub fn running(&self) -> Vec<Server> {
        self.servers.values().filter_map(|server| server.running.as_ref().map(|(running, _)| running.clone())).collect()
    }

    /// How many tasks the drivers of all nodes run now.
    pub fn tasks_running(&self) -> usize {
        self.agents.values().map(|agent| agent.driver.running().len()).sum()
    }
}

fn address(id: ServerId) -> String {
    format!("s{id}:4647")
}
