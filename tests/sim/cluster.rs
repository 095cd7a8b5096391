//! Servers and agents on the twins, each of which can be killed and started again.
//!
//! A process is its tasks; to kill it is to pull its plug, so that nothing which its tasks still do reaches anybody, and
//! to give its next life a copy of what its disk would hold.

mod agents;
mod servers;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use model::{ClusterId, ServerId};
use seams::{Clock, Random};
use server::cluster::Cluster;
use server::server::Server;
use tokio::time::sleep;

use super::clock::SimClock;
use super::net::{Process, SimNet};
use super::oracle::Oracle;
use super::seed::SeededRandom;
use super::settings::Settings;
use super::trace::Trace;
pub use agents::{AgentEnd, SimAgent};
pub use servers::SimServer;

/// A simulated cluster.
pub struct SimCluster {
    /// What it is like.
    pub settings: Settings,
    /// Chances of the whole run.
    pub random: Arc<SeededRandom>,
    /// The right time.
    pub clock: Arc<SimClock>,
    /// What happens.
    pub trace: Arc<Trace>,
    /// Who sees everything.
    pub oracle: Arc<Oracle>,
    /// The network.
    pub net: SimNet,
    id: ClusterId,
    calm: AtomicBool,
    servers: Mutex<BTreeMap<ServerId, SimServer>>,
    agents: Mutex<BTreeMap<u64, SimAgent>>,
}

impl SimCluster {
    /// Starts all servers and agents, but those agents that are left out.
    pub async fn start(settings: Settings, without: &BTreeSet<u32>) -> Arc<Self> {
        let random = Arc::new(SeededRandom::part(settings.seed, 1));
        let clock = Arc::new(SimClock::start());
        let trace = Trace::new(clock.clone());
        let oracle = Oracle::new(trace.clone(), clock.now());
        let net_random = Arc::new(SeededRandom::new(random.next_u64()));
        let cluster = Arc::new(Self {
            net: SimNet::new(net_random, settings.breaks_after, oracle.clone()),
            id: ClusterId::derive(&[b"simulation"]),
            calm: AtomicBool::new(false),
            servers: Mutex::default(),
            agents: Mutex::default(),
            random,
            clock,
            trace,
            oracle,
            settings,
        });
        let numbers: Vec<ServerId> = (1..=cluster.settings.servers).collect();
        for id in &numbers {
            cluster.add_server(*id);
        }
        for id in numbers {
            cluster.start_server(id).await;
        }
        for number in (1..=cluster.settings.agents).filter(|number| !without.contains(&(*number as u32))) {
            cluster.add_agent(number);
            cluster.start_agent(number);
        }
        cluster
    }

    /// No fault will come any more.
    pub fn calm_down(&self) {
        self.calm.store(true, Ordering::Relaxed);
    }

    /// Whether no fault will come any more.
    pub fn is_calm(&self) -> bool {
        self.calm.load(Ordering::Relaxed)
    }

    /// The server that leads, once one does.
    pub async fn leader(&self) -> Server {
        loop {
            if let Some(leader) = self.leader_now() {
                return leader;
            }
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// The server that leads; of two that both think so, the one of the later term.
    pub fn leader_now(&self) -> Option<Server> {
        let leading = self.running().into_iter().filter(|server| server.leadership().is_self);
        leading.max_by_key(|server| server.leadership().term)
    }

    /// All servers that run.
    pub fn running(&self) -> Vec<Server> {
        self.servers().values().filter_map(|server| server.running.as_ref().map(|it| it.server.clone())).collect()
    }

    /// All servers that the cluster has, whether they run or not.
    pub fn server_ids(&self) -> Vec<ServerId> {
        self.servers().keys().copied().collect()
    }

    /// All agents, whether they run or not.
    pub fn agent_numbers(&self) -> Vec<u64> {
        self.agents().keys().copied().collect()
    }

    /// All processes.
    pub fn processes(&self) -> Vec<Process> {
        let servers = self.server_ids().into_iter().map(Process::Server);
        servers.chain(self.agent_numbers().into_iter().map(Process::Agent)).collect()
    }

    /// The clock of a process.
    pub fn clock_of(&self, process: Process) -> Option<Arc<SimClock>> {
        match process {
            Process::Server(id) => self.servers().get(&id).map(|server| server.clock.clone()),
            Process::Agent(number) => self.agents().get(&number).map(|agent| agent.clock.clone()),
        }
    }

    fn servers(&self) -> MutexGuard<'_, BTreeMap<ServerId, SimServer>> {
        self.servers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn agents(&self) -> MutexGuard<'_, BTreeMap<u64, SimAgent>> {
        self.agents.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
