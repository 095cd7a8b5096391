//! Servers that come and go, and agents that stay: what the runs over membership and backups have in common.
//!
//! Real servers and agents over a plain net in memory, on tokio's paused clock. A server has a disk that outlives it and
//! keeps what was synced; an agent has a driver that outlives it. Everything that servers apply, who says that it leads, and
//! where all of them stand in the log is held against what membership must not break: one entry with one outcome at an
//! index, one leader in a term, what the package `invariants` says of states, entries and consensus.

pub mod net;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use client_agent::drivers::fake::FakeDriver;
use client_agent::{AgentConfig, AgentSeams, FixedHost, MemoryStore};
use invariants::{Consensus, Position, Step, check, check_step};
use model::{ClusterId, Index, NodeId, ServerId, Term, Timestamp};
use proto::net::{Caller, Peer};
use seams::testing::MemoryDisk;
use seams::{Blocking, Clock, Random, Workers};
use server::Witness;
use server::raft::{Metrics, Role, Sizes, Timings};
use server::server::{Server, ServerConfig, ServerSeams, StartServer};
use server_core::apply::Applied;
use server_core::command::Entry;
use server_core::state::State;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::seed::SeededRandom;
use net::Net;

/// Where a server keeps its log.
pub const FOLDER: &str = "/data";
/// How often it is looked who leads, and where servers stand.
const LOOK_INTERVAL: Duration = Duration::from_millis(20);
/// States are looked at as a whole at each so many indexes.
const STATE_CHECKED_EACH: Index = 16;

/// The cluster's servers and agents.
pub struct Fleet {
    pub random: Arc<SeededRandom>,
    pub cluster: ClusterId,
    pub clock: Arc<FleetClock>,
    pub rules: Arc<Rules>,
    sizes: Sizes,
    net: Net,
    servers: BTreeMap<ServerId, FleetServer>,
    agents: BTreeMap<u64, FleetAgent>,
}

struct FleetServer {
    disk: MemoryDisk,
    running: Option<(Server, CancellationToken)>,
}

struct FleetAgent {
    node: NodeId,
    store: Arc<MemoryStore>,
    driver: Arc<FakeDriver>,
}

/// The wall clock: tokio's, from 2026 on.
pub struct FleetClock(Instant);

impl Clock for FleetClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(1_767_225_600) + self.0.elapsed()
    }
}

/// What was seen, and what of it must not be.
#[derive(Default)]
pub struct Rules {
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    /// What was applied at each index, and what came of it.
    outcomes: BTreeMap<Index, blake3::Hash>,
    /// The state after the last entry that any server has applied.
    newest: State,
    leaders: BTreeMap<Term, ServerId>,
    consensus: Consensus,
    /// The servers that run, each with its life and the plug that ends it.
    running: BTreeMap<ServerId, (u64, Server, CancellationToken)>,
    broken: Vec<String>,
}

impl Rules {
    fn with<T>(&self, look: impl FnOnce(&mut Seen) -> T) -> T {
        look(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Everything that must not be, in words.
    pub fn broken(&self) -> Vec<String> {
        self.with(|seen| seen.broken.clone())
    }

    /// Terms in which somebody led.
    pub fn terms(&self) -> usize {
        self.with(|seen| seen.leaders.len())
    }

    /// A server begins another life.
    fn began(&self, id: ServerId, server: Server, plug: CancellationToken) {
        self.with(|seen| {
            let life = seen.running.get(&id).map_or(1, |(life, ..)| life + 1);
            seen.running.insert(id, (life, server, plug));
        });
    }

    /// Looks who leads and where all servers stand.
    fn look(&self) {
        self.with(|seen| {
            let mut positions = BTreeMap::new();
            for (id, (life, server, _)) in seen.running.iter().filter(|(_, (_, _, plug))| !plug.is_cancelled()) {
                // What consensus itself says, not what is made of it: that names nobody once a majority is silent.
                let metrics = server.raft().metrics();
                if metrics.is_leader {
                    let first = *seen.leaders.entry(metrics.term).or_insert(*id);
                    if first != *id {
                        seen.broken.push(format!("servers {first} and {id} lead in term {}", metrics.term));
                    }
                }
                positions.insert(*id, position(*life, &metrics));
            }
            seen.broken.extend(seen.consensus.sees(positions).iter().map(ToString::to_string));
        });
    }
}

/// Where a server stands in the log.
pub fn position(life: u64, at: &Metrics) -> Position {
    let voters = at.members.iter().filter(|member| member.role == Role::Voter).map(|member| member.id).collect();
    Position {
        life,
        term: at.term,
        last_log: at.last_log,
        committed: at.committed,
        applied: at.applied,
        snapshot: at.snapshot,
        purged: at.purged,
        voters,
    }
}

struct RulesOf(Arc<Rules>);

impl Witness for RulesOf {
    fn applied(&self, index: Index, term: Term, entry: &Entry, applied: &Applied, state: &State) {
        let mut hasher = blake3::Hasher::new();
        let hash = hasher.update(&entry.encode()).update(format!("{applied:?}").as_bytes()).finalize();
        self.0.with(|seen| {
            if *seen.outcomes.entry(index).or_insert(hash) != hash {
                seen.broken.push(format!("two entries, or one with two outcomes, were applied at index {index}"));
            }
            // Whoever applies an entry first has applied all before it, or begins with a state that was handed over.
            if index > seen.newest.index() {
                let is_handed_over = seen.newest.index() == 0;
                let step = Step { index, term, entry, applied, before: &seen.newest, after: state };
                let mut violations = if is_handed_over { Vec::new() } else { check_step(&step) };
                if index.is_multiple_of(STATE_CHECKED_EACH) {
                    violations.extend(check(state));
                }
                seen.broken.extend(violations.iter().map(ToString::to_string));
                seen.newest = state.clone();
            }
        });
    }
}

impl Fleet {
    /// No server, no agent.
    pub fn new(seed: u64, cluster: ClusterId, sizes: Sizes) -> Self {
        let random = Arc::new(SeededRandom::new(seed));
        let rules = Arc::<Rules>::default();
        tokio::spawn(watch(rules.clone()));
        Self {
            net: Net::new(Arc::new(SeededRandom::new(random.next_u64()))),
            clock: Arc::new(FleetClock(Instant::now())),
            rules,
            cluster,
            sizes,
            servers: BTreeMap::new(),
            agents: BTreeMap::new(),
            random,
        }
    }

    /// Takes part in another's net, with servers of its own.
    pub fn share_net(&mut self, other: &Fleet) {
        self.net = other.net.clone();
    }

    /// The disk of a server, new or old.
    pub fn disk(&mut self, id: ServerId) -> MemoryDisk {
        self.servers
            .entry(id)
            .or_insert_with(|| FleetServer { disk: MemoryDisk::default(), running: None })
            .disk
            .clone()
    }

    /// Starts a server from what its disk holds. It is reached at `address` and knows where `peers` are.
    pub async fn start_server(
        &mut self,
        id: ServerId,
        address: &str,
        begins_cluster: bool,
        peers: Vec<Peer>,
    ) -> Result<Server, StartServer> {
        let disk = self.disk(id);
        let plug = CancellationToken::new();
        let config = ServerConfig {
            id,
            cluster: self.cluster,
            name: format!("s{id}"),
            address: address.into(),
            http_address: String::new(),
            folder: PathBuf::from(FOLDER),
            begins_cluster,
            peers,
            authority: None,
            join_tokens: Vec::new(),
            timings: Timings::default(),
            sizes: self.sizes,
        };
        let seams = ServerSeams {
            dialer: self.net.dialer(Caller::Server { cluster: self.cluster, id }, plug.clone()),
            disk: Arc::new(disk),
            clock: self.clock.clone(),
            random: Arc::new(SeededRandom::new(self.random.next_u64())),
            blocking: Blocking::Inline,
            consensus: Workers::shared(),
            witness: Some(Arc::new(RulesOf(self.rules.clone()))),
        };
        let server = Server::start(config, seams, CancellationToken::new()).await?;
        self.net.listen(id, address, Arc::new(server.clone()), plug.clone());
        self.rules.began(id, server.clone(), plug.clone());
        if let Some(known) = self.servers.get_mut(&id) {
            known.running = Some((server.clone(), plug));
        }
        Ok(server)
    }

    /// Kills a server: what it had not synced is lost.
    pub async fn kill_server(&mut self, id: ServerId) {
        let Some(server) = self.servers.get_mut(&id) else { return };
        let Some((running, plug)) = server.running.take() else { return };
        plug.cancel();
        server.disk.crash();
        running.kill().await;
        // What its tasks wrote after the crash is lost too.
        server.disk.crash();
    }

    /// Stops a server as a person does.
    pub async fn stop_server(&mut self, id: ServerId) {
        let running = self.servers.get_mut(&id).and_then(|server| server.running.take());
        if let Some((running, plug)) = running {
            running.stop().await;
            plug.cancel();
        }
    }

    /// All servers that run.
    pub fn running(&self) -> Vec<Server> {
        self.servers.values().filter_map(|server| server.running.as_ref().map(|(running, _)| running.clone())).collect()
    }

    /// The running server of that id.
    pub fn server(&self, id: ServerId) -> Option<Server> {
        self.servers.get(&id)?.running.as_ref().map(|(running, _)| running.clone())
    }

    /// The server that leads now.
    pub fn leader_now(&self) -> Option<Server> {
        let leads = |server: &Server| {
            let leadership = server.raft().leader().borrow().clone();
            leadership.is_leader.then_some(leadership.term)
        };
        self.running()
            .into_iter()
            .filter_map(|server| Some((leads(&server)?, server)))
            .max_by_key(|(term, _)| *term)
            .map(|(_, server)| server)
    }

    /// The server that leads, once one does.
    pub async fn leader(&self) -> Server {
        loop {
            match self.leader_now() {
                Some(leader) => return leader,
                None => sleep(LOOK_INTERVAL).await,
            }
        }
    }

    /// The voters, as the leader knows them.
    pub async fn voters(&self) -> Vec<ServerId> {
        let members = self.leader().await.raft().members();
        members.into_iter().filter(|member| member.role == Role::Voter).map(|member| member.id).collect()
    }

    /// Starts an agent that runs nothing yet, and knows servers at `addresses`.
    pub fn start_agent(&mut self, number: u64, addresses: &[String], shape: impl FnOnce(&mut AgentConfig)) {
        let agent = FleetAgent {
            node: NodeId::derive(&[b"node", &number.to_le_bytes()]),
            store: Arc::new(MemoryStore::default()),
            driver: FakeDriver::new(self.clock.clone(), number),
        };
        let mut config = AgentConfig::new(self.cluster, agent.node, format!("n{number}"));
        config.address = format!("10.0.{}.{}", number / 200, number % 200 + 1);
        config.servers = addresses.iter().map(Peer::any).collect();
        shape(&mut config);
        let seams = AgentSeams {
            dialer: self.net.dialer(
                Caller::Agent { cluster: self.cluster, node: agent.node, key: [0; 32] },
                CancellationToken::new(),
            ),
            clock: self.clock.clone(),
            random: Arc::new(SeededRandom::new(self.random.next_u64())),
            drivers: vec![agent.driver.clone()],
            store: agent.store.clone(),
            host: Arc::new(FixedHost::default()),
        };
        self.agents.insert(number, agent);
        tokio::spawn(client_agent::run(config, seams, CancellationToken::new()));
    }

    /// The drivers of all agents.
    pub fn drivers(&self) -> impl Iterator<Item = &Arc<FakeDriver>> {
        self.agents.values().map(|agent| &agent.driver)
    }
}

async fn watch(rules: Arc<Rules>) {
    loop {
        rules.look();
        sleep(LOOK_INTERVAL).await;
    }
}

/// Runs `play` on a clock of its own, which stands still while anything is to be done.
pub fn in_virtual_time<T>(seed: u64, play: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .rng_seed(tokio::runtime::RngSeed::from_bytes(&seed.to_le_bytes()))
        .build()
        .expect("a runtime without I/O needs nothing of the system");
    runtime.block_on(play)
}
