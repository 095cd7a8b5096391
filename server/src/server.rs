//! One running server: consensus, the leader's work while it leads, and the RPC that agents and other servers use.
//!
//! ```text
//!   HTTP, DNS ──► Cluster ──► propose ──► raft ──► StateMachine ──► published State
//!   agents    ──► rpc/     ──┘   ▲                                      │
//!                        leader/ ┘ ◄────────────────────────────────────┘
//! ```

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use model::{ClusterId, NodeId, ServerId, Timestamp, Usage};
use proto::net::{Dialer, Peer};
use seams::{Blocking, Clock, Disk, Random, SteadyClock};
use server_core::clocks::NodeClocks;
use server_core::command::{Command, ServerRecord};
use server_core::state::State;
use thiserror::Error;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::alarms::Alarms;
use crate::authority::Authority;
use crate::happenings::Happenings;
use crate::leader;
use crate::machine::{StateMachine, Witness};
use crate::marks;
use crate::members;
use crate::node_watch::NodeWatch;
use crate::raft::{self, Raft};
use crate::rpc::beats::Beats;
use crate::rpc::observations::Observations;
use crate::rpc::orders::Orders;
use crate::rpc::pace::Pace;
use crate::rpc::peers::RaftPeers;

/// The newest cluster version that this release speaks.
pub const CLUSTER_VERSION: u32 = 1;

/// What a server needs to know to start.
#[derive(Clone)]
pub struct ServerConfig {
    /// Its id, given out by `server init` or by joining; never used before.
    pub id: ServerId,
    /// The cluster.
    pub cluster: ClusterId,
    /// Its name among people.
    pub name: String,
    /// Where servers and agents reach it, `host:port`.
    pub address: String,
    /// Where people reach it, `host:port`.
    pub http_address: String,
    /// Where its log and snapshots are kept.
    pub folder: PathBuf,
    /// Whether it begins the cluster, if its folder is empty.
    pub begins_cluster: bool,
    /// Servers of the cluster that may know the leader.
    pub peers: Vec<Peer>,
    /// The cluster's authority, where this server has its key: it can admit new members then.
    pub authority: Option<Arc<Authority>>,
    /// Join tokens to be kept from the beginning.
    pub join_tokens: Vec<server_core::command::JoinTokenRecord>,
    /// Timings of consensus.
    pub timings: raft::Timings,
    /// Sizes of log and snapshots.
    pub sizes: raft::Sizes,
}

/// Where a server touches the world.
#[derive(Clone)]
pub struct ServerSeams {
    /// To other servers.
    pub dialer: Arc<dyn Dialer>,
    /// The disk.
    pub disk: Arc<dyn Disk>,
    /// The wall clock.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
    /// Where blocking work is done.
    pub blocking: Blocking,
    /// Sees every applied entry; none in production.
    pub witness: Option<Arc<dyn Witness>>,
}

/// A server can't start.
#[derive(Debug, Error)]
pub enum StartServer {
    /// Consensus can't.
    #[error("consensus can't start")]
    Raft(#[from] raft::StartError),
    /// It was to begin a cluster and can't.
    #[error("the cluster can't begin")]
    Begin(#[from] raft::InitializeClusterError),
}

/// A running server. Clones are the same server.
#[derive(Clone)]
pub struct Server {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub config: ServerConfig,
    pub seams: ServerSeams,
    pub raft: Raft,
    pub states: watch::Receiver<Arc<State>>,
    pub happenings: Arc<Happenings>,
    pub nodes: Arc<NodeWatch>,
    pub beats: Beats,
    pub observations: Observations,
    pub pace: Pace,
    pub orders: Orders,
    /// The leader's clocks and the usage that beats carry; empty on followers.
    pub leading: Mutex<Option<Leading>>,
    pub origin: Instant,
    pub shutdown: CancellationToken,
    pub alarms: Arc<Alarms>,
    pub marks: marks::Kept,
    /// Why this server must end, once it must.
    pub failure: watch::Sender<Option<String>>,
}

/// What only a leader keeps, in memory.
pub(crate) struct Leading {
    pub clocks: NodeClocks,
    pub usage: BTreeMap<NodeId, Usage>,
}

impl Server {
    /// Starts a server from what its folder holds. It runs until `shutdown`, or until consensus fails on it.
    pub async fn start(
        config: ServerConfig,
        mut seams: ServerSeams,
        shutdown: CancellationToken,
    ) -> Result<Self, StartServer> {
        // What waits for its time does so by the leader's clock; the host's may step.
        seams.clock = Arc::new(SteadyClock::new(seams.clock));
        let (publish, states) = watch::channel(Arc::new(State::default()));
        let happenings = Arc::new(Happenings::default());
        let nodes = Arc::new(NodeWatch::default());
        let alarms = Arc::new(Alarms::default());
        let (marked_sender, marked) = watch::channel(None);
        let machine = StateMachine::new(publish, happenings.clone(), nodes.clone(), seams.witness.clone())
            .alarming(alarms.clone(), seams.clock.clone())
            .marking(marked_sender);
        let raft_config = raft::Config {
            id: config.id,
            cluster: config.cluster,
            folder: config.folder.clone(),
            timings: config.timings,
            sizes: config.sizes,
            blocking: seams.blocking,
        };
        let peers = Arc::new(RaftPeers::new(seams.dialer.clone(), config.timings.append));
        let seed = seams.random.next_u64();
        let raft = Raft::start(raft_config, seams.disk.clone(), peers, Box::new(machine), seed).await?;
        if config.begins_cluster && raft.metrics().last_log == 0 {
            match raft.initialize(&config.address).await {
                Ok(()) | Err(raft::InitializeClusterError::NotPristine) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let inner = Inner {
            config,
            seams,
            raft,
            states,
            happenings,
            nodes,
            beats: Beats::default(),
            observations: Observations::default(),
            pace: Pace::default(),
            orders: Orders::default(),
            leading: Mutex::new(None),
            origin: Instant::now(),
            shutdown: shutdown.clone(),
            alarms,
            marks: marks::Kept::default(),
            failure: watch::Sender::new(None),
        };
        let server = Self { inner: Arc::new(inner) };
        server.spawn(leader::lead(server.clone()));
        server.spawn(marks::tell(server.clone(), marked));
        server.spawn(members::take_part(server.clone()));
        server.spawn(crate::rpc::beats::pass_on(server.clone()));
        server.spawn(crate::rpc::observations::pass_on(server.clone()));
        let paced = server.clone();
        server.spawn(async move { paced.inner.pace.run().await });
        Ok(server)
    }

    /// Returns when consensus has ended, or must not go on here, with the reason. The process must end then too.
    pub async fn stopped(&self) -> String {
        let mut failure = self.inner.failure.subscribe();
        let failed = async {
            let why = failure.wait_for(Option::is_some).await.ok().and_then(|why| why.clone());
            match why {
                Some(why) => why,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            why = failed => why,
            why = self.inner.raft.stopped() => why,
        }
    }

    /// Ends this server, because what it holds can't be trusted: it neither serves nor votes any more.
    pub(crate) fn fail(&self, why: String) {
        tracing::error!(why, "this server must end");
        self.inner.failure.send_replace(Some(why));
        self.inner.shutdown.cancel();
        let raft = self.inner.raft.clone();
        tokio::spawn(async move { raft.shutdown().await });
    }

    /// Why this server had to end; none while it need not.
    pub fn failure(&self) -> Option<String> {
        self.inner.failure.borrow().clone()
    }

    /// Hands leadership over if it has it, and stops.
    pub async fn stop(&self) {
        self.hand_over().await;
        self.inner.shutdown.cancel();
        self.inner.raft.shutdown().await;
    }

    /// Ends at once, without handing anything over: what a crash is in the simulation.
    pub async fn kill(&self) {
        self.inner.shutdown.cancel();
        self.inner.raft.shutdown().await;
    }

    /// The newest state of this server.
    pub fn state(&self) -> Arc<State> {
        self.inner.states.borrow().clone()
    }

    /// Consensus, for tests and for the commands that change its members.
    pub fn raft(&self) -> &Raft {
        &self.inner.raft
    }

    /// Monotonic time since the server started, for the leader's clocks.
    pub(crate) fn monotonic(&self) -> Timestamp {
        Timestamp::default() + self.inner.origin.elapsed()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.inner.seams.clock.now()
    }

    /// What only a leader keeps; none on a follower.
    pub(crate) fn with_leading<T>(&self, use_it: impl FnOnce(&mut Leading) -> T) -> Option<T> {
        self.inner.leading.lock().unwrap_or_else(PoisonError::into_inner).as_mut().map(use_it)
    }

    /// What this server says of itself.
    pub(crate) fn record(&self) -> ServerRecord {
        let config = &self.inner.config;
        ServerRecord {
            id: config.id,
            name: config.name.clone(),
            address: config.address.clone(),
            http_address: config.http_address.clone(),
            version: CLUSTER_VERSION,
            build: env!("CARGO_PKG_VERSION").into(),
        }
    }

    /// Runs `work` until it ends or the server stops.
    pub(crate) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let shutdown = self.inner.shutdown.clone();
        tokio::spawn(async move {
            tokio::select! {
                biased;
                () = shutdown.cancelled() => {}
                () = work => {}
            }
        });
    }

    /// Proposes a command of this server's own.
    pub(crate) async fn propose_own(
        &self,
        command: Command,
    ) -> Result<server_core::apply::Answer, crate::cluster::ClusterError> {
        self.propose_as(&format!("server {}", self.inner.config.id), None, command).await
    }

    async fn hand_over(&self) {
        let raft = &self.inner.raft;
        if !raft.leader().borrow().is_leader {
            return;
        }
        let to = raft
            .members()
            .into_iter()
            .find(|member| member.id != self.inner.config.id && member.role == raft::Role::Voter);
        if let Some(to) = to
            && let Err(error) = raft.transfer_leadership(to.id, Duration::from_secs(1)).await
        {
            tracing::warn!(%error, to = to.id, "can't hand leadership over");
        }
    }
}
