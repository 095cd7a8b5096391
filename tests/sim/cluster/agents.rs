//! The agents of a simulated cluster, and what their nodes run.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use client_agent::drivers::fake::FakeDriver;
use client_agent::{AgentConfig, AgentSeams, FixedHost, MemoryStore, Store};
use model::{AllocationId, NodeId, Timestamp};
use proto::net::{Caller, Dialer, Peer};
use seams::{Clock, Random};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::SimCluster;
use crate::sim::clock::SimClock;
use crate::sim::driver::{Doubts, SimDriver, Trouble};
use crate::sim::net::{Process, address, key_of, node_id};
use crate::sim::seed::SeededRandom;

/// An agent and its node.
pub struct SimAgent {
    /// The node's id.
    pub node: NodeId,
    /// Its clock.
    pub clock: Arc<SimClock>,
    /// What its agent keeps.
    pub store: Arc<MemoryStore>,
    /// What it "runs" outlives the agent, as containers do.
    pub fake: Arc<FakeDriver>,
    /// What is wrong with its runtime.
    pub trouble: Arc<Trouble>,
    life: Option<Life>,
    /// How its last life ended, and when.
    ended: Option<(AgentEnd, Timestamp)>,
    /// When somebody with its key last claimed to be it.
    claimed: Option<Instant>,
}

/// How long after such a claim its agent may still be turned away, or its silence unnoticed.
const CLAIMED_FOR: Duration = Duration::from_secs(12);

/// One life of an agent's process.
struct Life {
    plug: CancellationToken,
    shutdown: CancellationToken,
    asks: Arc<AtomicBool>,
}

/// How an agent ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AgentEnd {
    /// It is killed, and its containers run on.
    Killed,
    /// It is killed, and its containers with it: its host is gone.
    WithItsNode,
    /// It is asked to end, and says that it will be back.
    Asked,
}

impl SimCluster {
    /// Adds node `number`; its agent does not run yet.
    pub(super) fn add_agent(&self, number: u64) {
        let clock = Arc::new(self.clock.beside());
        let fake = FakeDriver::new(self.clock.clone(), self.settings.seed ^ number);
        self.oracle.watch_containers(number, fake.clone());
        let agent = SimAgent {
            node: node_id(number),
            clock,
            store: Arc::new(MemoryStore::default()),
            fake,
            trouble: Arc::default(),
            life: None,
            ended: None,
            claimed: None,
        };
        self.agents().insert(number, agent);
    }

    /// Starts an agent from what its store holds, unless it runs.
    pub fn start_agent(&self, number: u64) {
        let servers: Vec<Peer> = self.server_ids().into_iter().map(|id| Peer::server(id, address(id))).collect();
        let random = Arc::new(SeededRandom::new(self.random.next_u64()));
        let driver_random = Arc::new(SeededRandom::new(self.random.next_u64()));
        let mut agents = self.agents();
        let Some(agent) = agents.get_mut(&number).filter(|agent| agent.life.is_none()) else { return };
        self.trace.say(format_args!("-- n{number} starts"));
        let life = Life {
            plug: CancellationToken::new(),
            shutdown: CancellationToken::new(),
            asks: Arc::new(AtomicBool::new(true)),
        };
        let config = self.config_of(number, agent.node, servers);
        let driver = SimDriver {
            doubts: Doubts::default(),
            fake: agent.fake.clone(),
            trouble: agent.trouble.clone(),
            agent: number,
            is_asked: life.asks.clone(),
            random: driver_random,
            oracle: self.oracle.clone(),
        };
        let seams = AgentSeams {
            dialer: self.dialer_of(Process::Agent(number), agent.node, key_of(number), life.plug.clone()),
            clock: agent.clock.clone(),
            random,
            drivers: vec![Arc::new(driver)],
            store: agent.store.clone(),
            host: Arc::new(FixedHost::default()),
        };
        let running = client_agent::run(config, seams, life.shutdown.clone());
        let (ends, trace) = (life.plug.clone(), self.trace.clone());
        agent.life = Some(life);
        drop(agents);
        tokio::spawn(async move {
            tokio::select! {
                biased;
                () = ends.cancelled() => {}
                _ = running => trace.say(format_args!("-- n{number} has ended")),
            }
        });
    }

    fn config_of(&self, number: u64, node: NodeId, servers: Vec<Peer>) -> AgentConfig {
        let random = SeededRandom::part(self.settings.seed, 1_000 + number);
        let mut config = AgentConfig::new(self.id, node, format!("n{number}"));
        config.host_mark = Some(key_of(number));
        config.address = format!("10.0.0.{number}");
        config.cpu_total_compute_mhz = Some(random.between(15, 30) * 100);
        config.memory_total_mb = Some(random.between(15, 30) * 100);
        config.disk_total_mb = Some(10_000);
        config.class = random.pick(&["large", "small"]).expect("there are two").into();
        config.meta = BTreeMap::from([("rack".to_string(), format!("r{}", number % 3))]);
        config.servers = servers;
        config
    }

    /// What `process` dials with, who proves to have the key of a node's agent, until its `plug` is pulled.
    pub fn dialer_of(&self, process: Process, node: NodeId, key: [u8; 32], plug: CancellationToken) -> Arc<dyn Dialer> {
        self.net.dialer(process, Caller::Agent { cluster: self.id, node, key }, plug)
    }

    /// Somebody with the key of agent `number` claims to be it.
    pub fn claimed(&self, number: u64) {
        if let Some(agent) = self.agents().get_mut(&number) {
            agent.claimed = Some(Instant::now());
        }
    }

    /// Whether somebody else may stand in for an agent, or has just done so: then it is not sure that the agent is heard, nor
    /// that its silence is noticed.
    pub fn is_claimed(&self, number: u64) -> bool {
        let claimed = self.agents().get(&number).and_then(|agent| agent.claimed);
        claimed.is_some_and(|at| at.elapsed() < CLAIMED_FOR)
    }

    /// Ends an agent, if it runs.
    pub fn end_agent(&self, number: u64, end: AgentEnd) {
        let mut agents = self.agents();
        let Some(agent) = agents.get_mut(&number) else { return };
        if let Some(life) = agent.life.take() {
            self.trace.say(format_args!("-- n{number} ends: {end:?}"));
            agent.ended = Some((end, self.clock.now()));
            life.shutdown.cancel();
            if end != AgentEnd::Asked {
                life.asks.store(false, Ordering::Relaxed);
                life.plug.cancel();
            }
        }
        if end == AgentEnd::WithItsNode {
            agent.fake.kill_all();
        }
    }

    /// Whether an agent runs.
    pub fn agent_runs(&self, number: u64) -> bool {
        self.agents().get(&number).is_some_and(|agent| agent.life.is_some())
    }

    /// Since when an agent is gone that told nobody; none for one that runs, or that was asked to end.
    pub fn killed_at(&self, number: u64) -> Option<Timestamp> {
        let agents = self.agents();
        let agent = agents.get(&number).filter(|agent| agent.life.is_none())?;
        agent.ended.filter(|(end, _)| *end != AgentEnd::Asked).map(|(_, at)| at)
    }

    /// The runtime of a node, and what is wrong with it.
    pub fn runtime(&self, number: u64) -> Option<(Arc<FakeDriver>, Arc<Trouble>)> {
        self.agents().get(&number).map(|agent| (agent.fake.clone(), agent.trouble.clone()))
    }

    /// The containers that run, by agent.
    pub fn containers(&self) -> BTreeMap<u64, Vec<(AllocationId, String)>> {
        self.agents().iter().map(|(number, agent)| (*number, agent.fake.running())).collect()
    }

    /// What an agent keeps.
    pub fn store(&self, number: u64) -> Option<Arc<MemoryStore>> {
        self.agents().get(&number).map(|agent| agent.store.clone())
    }

    /// Damages what an agent keeps, while it does not run: all of it is lost, or some of it, or made unreadable.
    pub async fn damage_store(&self, number: u64, random: &SeededRandom) {
        let Some(store) = self.store(number) else { return };
        let Ok(documents) = store.load().await else { return };
        let loses_all = random.chance(40);
        for (name, mut document) in documents {
            match random.below(3) {
                _ if loses_all => drop(store.remove(&name).await),
                0 => drop(store.remove(&name).await),
                1 => {
                    document.truncate(random.below(document.len() as u64) as usize);
                    drop(store.save(&name, &document).await);
                }
                _ => {}
            }
        }
    }
}
