//! The nodes: the product's agents, thousands in this process. Each has its own certificate, connection and stream; only
//! what it would start is not there.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use std::{fmt, io};

use async_trait::async_trait;
use client_agent::drivers::fake::FakeDriver;
use client_agent::{AgentConfig, AgentSeams, FixedHost, Host, HostUsage, RealHost, Store};
use model::NodeId;
use proto::grpc::GrpcDialer;
use proto::identity::Role;
use proto::net::{Channel, Dialer, NetError, Peer};
use proto::wire::{Request, Response};
use seams::{Clock, SystemClock};
use server::authority::Authority;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::browse::Client;
use super::cluster::{Cluster, Silences};
use super::driver::{NullDriver, Starts};
use super::place::{CPU_MHZ, MEMORY_MB};
use super::shadows::Shadows;
use super::size::Size;
use crate::sim::seed::SeededRandom;

/// Agents that connect at the same time; the others wait for their turn, so that none gives up.
const CONNECTING_MAX: usize = 32;
/// How long a server may take for TLS while so many connect.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// Room of the five classes of nodes, in percent of the middle one.
const CLASSES: [u64; 5] = [60, 80, 100, 120, 140];
/// Disk of each, in MiB: more than all may want.
const DISK_MB: u64 = 1 << 20;
/// How long all nodes may take to be ready, beside a while for each.
const READY_WITHIN: Duration = Duration::from_secs(60);
const READY_WITHIN_EACH: Duration = Duration::from_millis(30);

/// All nodes. They end with the runtime.
pub struct Fleet {
    /// When tasks started.
    pub starts: Arc<Starts>,
    streams: Arc<Gate>,
    size: Size,
}

impl Fleet {
    /// Starts all agents and waits until the servers call every node ready.
    pub async fn start(size: Size, cluster: &Cluster) -> Result<Self, String> {
        let gate = Arc::new(Gate { turns: Semaphore::new(CONNECTING_MAX), opened: AtomicUsize::new(0) });
        let fleet = Self { starts: Arc::default(), streams: gate, size };
        let world = World {
            authority: cluster.authority()?,
            servers: cluster.rpc().map(|(id, address)| Peer::server(id, address.to_string())).to_vec(),
            facts: RealHost::default().facts(),
        };
        for number in 0..size.streams {
            fleet.launch(&world, size, number)?;
            // Making a certificate takes a while; what is spawned shall get on meanwhile.
            tokio::task::yield_now().await;
        }
        let shadows = (size.streams..size.nodes).map(|number| shadow(size, number)).collect();
        Shadows::new(&world.authority, world.servers.clone())?.start(shadows).await?;
        fleet.await_ready(cluster).await?;
        Ok(fleet)
    }

    fn launch(&self, world: &World, size: Size, number: usize) -> Result<(), String> {
        let node = node_id(number);
        let identity = world.authority.issue(Role::Agent(node), SystemClock.now());
        let identity = identity.map_err(|error| error.to_string())?;
        let dialer = GrpcDialer::new(&identity).map_err(|error| error.to_string())?;
        let (class, slots) = class_and_slots(size, number);
        let mut config = AgentConfig::new(world.authority.cluster(), node, format!("n{number}"));
        config.class = format!("class-{}", class + 1);
        config.cpu_total_compute_mhz = Some(slots * CPU_MHZ);
        config.memory_total_mb = Some(slots * MEMORY_MB);
        config.disk_total_mb = Some(DISK_MB);
        config.servers = world.servers.clone();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let fake = FakeDriver::new(clock.clone(), number as u64);
        let seams = AgentSeams {
            dialer: Arc::new(GatedDialer {
                dialer: dialer.with_connect_timeout(CONNECT_WITHIN),
                gate: self.streams.clone(),
            }),
            clock,
            random: Arc::new(SeededRandom::new(number as u64)),
            drivers: vec![Arc::new(NullDriver { fake, starts: self.starts.clone() })],
            store: Arc::new(NoStore),
            host: Arc::new(FixedHost { facts: world.facts.clone(), usage: HostUsage::default() }),
        };
        tokio::spawn(client_agent::run(config, seams, CancellationToken::new()));
        Ok(())
    }

    async fn await_ready(&self, cluster: &Cluster) -> Result<(), String> {
        let Size { nodes, streams, .. } = self.size;
        let deadline = Instant::now() + READY_WITHIN + READY_WITHIN_EACH * nodes as u32;
        loop {
            sleep(Duration::from_millis(500)).await;
            let opened = self.streams.opened.load(Ordering::Relaxed);
            let ready = if opened < streams { 0 } else { ready(cluster).await? };
            if ready == nodes {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(format!("{opened} of {streams} streams were opened, {ready} nodes are ready"));
            }
        }
    }

    /// What the servers and the agents missed of each other so far.
    pub fn trouble(&self, cluster: &Cluster) -> Trouble {
        let opened = self.streams.opened.load(Ordering::Relaxed);
        Trouble { reopened: opened.saturating_sub(self.size.streams), silences: cluster.silences() }
    }
}

/// What servers and agents missed of each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trouble {
    /// Streams that agents opened beyond their first, because a server did not answer in time.
    pub reopened: usize,
    /// Silent nodes.
    pub silences: Silences,
}

impl Trouble {
    /// What came since `earlier`. A node that was lost voids the run.
    pub fn since(self, earlier: Self) -> Result<Self, String> {
        let since = Self {
            reopened: self.reopened.saturating_sub(earlier.reopened),
            silences: Silences { suspect: self.silences.suspect - earlier.silences.suspect, down: 0 },
        };
        match self.silences.down - earlier.silences.down {
            0 => Ok(since),
            down => Err(format!("{down} nodes were lost; {since}")),
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} streams opened anew, nodes suspect {} times", self.reopened, self.silences.suspect)
    }
}

fn node_id(number: usize) -> NodeId {
    NodeId::derive(&[b"bench", &(number as u64).to_le_bytes()])
}

/// The class of a node, counted from 0, and for how many instances it has room.
fn class_and_slots(size: Size, number: usize) -> (usize, u64) {
    let class = number % CLASSES.len();
    (class, (size.slots() * CLASSES[class] / 100).max(1))
}

/// A node without an agent, as large as one with.
fn shadow(size: Size, number: usize) -> model::Node {
    let (class, slots) = class_and_slots(size, number);
    let mut node = model::testing::node(&format!("n{number}")).cpu(slots * CPU_MHZ).memory(slots * MEMORY_MB);
    node.id = node_id(number);
    node.class = format!("class-{}", class + 1);
    node.total.disk_mb = DISK_MB;
    node
}

/// Keeps nothing: these agents never start anew.
struct NoStore;

#[async_trait]
impl Store for NoStore {
    async fn load(&self) -> io::Result<BTreeMap<String, Vec<u8>>> {
        Ok(BTreeMap::new())
    }

    async fn save(&self, _: &str, _: &[u8]) -> io::Result<()> {
        Ok(())
    }

    async fn remove(&self, _: &str) -> io::Result<()> {
        Ok(())
    }
}

/// What all agents have in common.
struct World {
    authority: Authority,
    servers: Vec<Peer>,
    facts: client_agent::HostFacts,
}

/// Nodes that the servers call ready.
async fn ready(cluster: &Cluster) -> Result<usize, String> {
    let nodes = Client::connect(cluster.http()[0]).await?.get("/v1/nodes").await?.json;
    let is_ready = |node: &&serde_json::Value| node["Status"] == "ready" && node["Suspect"] != true;
    Ok(nodes.as_array().into_iter().flatten().filter(is_ready).count())
}

/// Lets a few agents connect at a time, and counts the streams.
struct Gate {
    turns: Semaphore,
    opened: AtomicUsize,
}

struct GatedDialer {
    dialer: GrpcDialer,
    gate: Arc<Gate>,
}

#[async_trait]
impl Dialer for GatedDialer {
    async fn call(&self, peer: &Peer, request: Request, deadline: Duration) -> Result<Response, NetError> {
        self.dialer.call(peer, request, deadline).await
    }

    async fn open(&self, peer: &Peer, deadline: Duration) -> Result<Channel, NetError> {
        let _turn = self.gate.turns.acquire().await;
        let channel = self.dialer.open(peer, deadline.max(CONNECT_WITHIN)).await?;
        self.gate.opened.fetch_add(1, Ordering::Relaxed);
        Ok(channel)
    }
}
