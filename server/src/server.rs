//! One running server: consensus, the leader's work while it leads, and the RPC that agents and other servers use.
//!
//! ```text
//!   HTTP, DNS ──► Cluster ──► propose ──► raft ──► StateMachine ──► published State
//!   agents    ──► rpc/     ──┘   ▲                                      │
//!                        leader/ ┘ ◄────────────────────────────────────┘
//! ```

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use model::{ClusterId, EvaluationStatus, NodeId, ServerId, Timestamp, Usage};
use proto::net::{Dialer, Peer};
use seams::{Blocking, Clock, Disk, Random, SteadyClock, Workers};
use server_core::autopilot::ServerSeen;
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
use crate::room;
use crate::rpc::beats::Beats;
use crate::rpc::observations::Observations;
use crate::rpc::orders::Orders;
use crate::rpc::pace::Pace;
use crate::rpc::peers::RaftPeers;

/// The newest cluster version that this release speaks.
pub const CLUSTER_VERSION: u32 = 1;

/// How long one heir may take to lead.
const HAND_OVER_WITHIN: Duration = Duration::from_secs(1);
/// How many heirs are tried.
const HEIRS_MAX: usize = 2;
/// Who has been silent for longer is tried last.
const HEIR_SILENT_MAX: Duration = Duration::from_millis(500);

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
    /// Where consensus runs, and what other servers say of it is taken: a leader whose heartbeats wait behind thousands
    /// of agents is soon none.
    pub consensus: Workers,
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
    /// Its folder can't be read.
    #[error("the data folder can't be read")]
    Folder(#[from] std::io::Error),
    /// The cluster has seen this server, and its folder is empty.
    #[error(
        "server {id} has been in the cluster before, as {peer} knows, and its data is gone: an id is never used again. \
         Remove it with `sched server leave {id}`, and have it join under a new one with a token"
    )]
    DataGone {
        /// The server.
        id: ServerId,
        /// Who knows it.
        peer: String,
    },
}

/// Whether evaluations wait for the planner.
fn is_planning(state: &State) -> bool {
    state.open_evaluations(EvaluationStatus::Pending).next().is_some()
}

/// A running server. Clones are the same server.
#[derive(Clone)]
pub struct Server {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub config: ServerConfig,
    pub seams: ServerSeams,
    /// The cluster's time. What waits for its time does so by it: the host's clock may step, and every host has another.
    pub clock: Arc<SteadyClock>,
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
    /// The term in which this server, as its leader, says when something happens; 0 for none yet.
    pub tells_time_in: AtomicU64,
    /// Whether this server has been up to date since it started.
    pub synced: AtomicBool,
    pub origin: Instant,
    pub shutdown: CancellationToken,
    pub alarms: Arc<Alarms>,
    pub marks: marks::Kept,
    /// Why this server must end, or the cluster has no place for it, once it has said so.
    pub ended: watch::Sender<Option<String>>,
}

/// What only a leader keeps, in memory.
pub(crate) struct Leading {
    pub clocks: NodeClocks,
    pub usage: BTreeMap<NodeId, Usage>,
    /// How each server does, since the last look.
    pub servers: Vec<ServerSeen>,
}

impl Server {
    /// Starts a server from what its folder holds. It runs until `shutdown`, or until consensus fails on it.
    pub async fn start(
        config: ServerConfig,
        seams: ServerSeams,
        shutdown: CancellationToken,
    ) -> Result<Self, StartServer> {
        let clock = Arc::new(SteadyClock::new(seams.clock.clone()));
        let (disk, folder) = (seams.disk.clone(), config.folder.clone());
        if !seams.blocking.run(move || raft::has_begun(&*disk, &folder)).await?? {
            members::check_unknown(&config, &seams).await?;
        }
        let (publish, states) = watch::channel(Arc::new(State::default()));
        let happenings = Arc::new(Happenings::default());
        let nodes = Arc::new(NodeWatch::default());
        let alarms = Arc::new(Alarms::default());
        let (marked_sender, marked) = watch::channel(None);
        let machine = StateMachine::new(publish, happenings.clone(), nodes.clone(), seams.witness.clone())
            .alarming(alarms.clone())
            .timing(clock.clone())
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
        let disk = seams.disk.clone();
        let starting = async move { Raft::start(raft_config, disk, peers, Box::new(machine), seed).await };
        let started = seams.consensus.run(starting).await;
        let raft = started.map_err(|error| raft::StartError::Core(error.to_string()))??;
        if config.begins_cluster && raft.metrics().last_log == 0 {
            match raft.initialize(&config.address).await {
                Ok(()) | Err(raft::InitializeClusterError::NotPristine) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let inner = Inner {
            config,
            seams,
            clock,
            raft,
            states,
            happenings,
            nodes,
            beats: Beats::default(),
            observations: Observations::default(),
            pace: Pace::default(),
            orders: Orders::default(),
            leading: Mutex::new(None),
            tells_time_in: AtomicU64::new(0),
            synced: AtomicBool::new(false),
            origin: Instant::now(),
            shutdown: shutdown.clone(),
            alarms,
            marks: marks::Kept::default(),
            ended: watch::Sender::new(None),
        };
        let server = Self { inner: Arc::new(inner) };
        server.spawn(leader::lead(server.clone()));
        server.spawn(marks::tell(server.clone(), marked));
        server.spawn(members::take_part(server.clone()));
        server.spawn(room::step_aside(server.clone()));
        server.spawn(crate::rpc::beats::pass_on(server.clone()));
        server.spawn(crate::rpc::observations::pass_on(server.clone()));
        let paced = server.clone();
        server.spawn(async move { paced.inner.pace.run(|| is_planning(&paced.state())).await });
        Ok(server)
    }

    /// Returns when consensus has ended or must not go on here, or the cluster has no place for this server, with the
    /// reason. The process must end then too.
    pub async fn stopped(&self) -> String {
        let mut ended = self.inner.ended.subscribe();
        let ended = async move { ended.wait_for(Option::is_some).await.ok().and_then(|reason| reason.clone()) };
        tokio::select! {
            biased;
            Some(reason) = ended => reason,
            reason = self.inner.raft.stopped() => reason,
        }
    }

    /// The cluster has no place for this server: the process shall end.
    pub(crate) fn end(&self, reason: String) {
        self.inner.ended.send_replace(Some(reason));
    }

    /// Ends this server, because what it holds can't be trusted: it neither serves nor votes any more.
    pub(crate) fn fail(&self, why: String) {
        tracing::error!(why, "this server must end");
        self.end(why);
        self.inner.shutdown.cancel();
        let raft = self.inner.raft.clone();
        tokio::spawn(async move { raft.shutdown().await });
    }

    /// Why this server had to end; none while it need not.
    pub fn failure(&self) -> Option<String> {
        self.inner.ended.borrow().clone()
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

    /// The cluster's time.
    pub(crate) fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }

    /// This host's time, for what others compare with theirs.
    pub(crate) fn wall(&self) -> Timestamp {
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
        self.propose_as(&self.own_name(), None, command).await
    }

    /// Who proposes what nobody asked for.
    pub(crate) fn own_name(&self) -> String {
        format!("server {}", self.inner.config.id)
    }

    /// Hands leadership over, if this server has it, to whoever is closest behind and answers.
    pub(crate) async fn hand_over(&self) {
        let raft = &self.inner.raft;
        if !raft.leader().borrow().is_leader {
            return;
        }
        let metrics = raft.metrics();
        let state = self.state();
        let matching = |id: &ServerId| metrics.matching.get(id).copied().unwrap_or(0);
        let mut heirs: Vec<ServerId> = metrics
            .members
            .iter()
            .filter(|member| member.role == raft::Role::Voter && !state.is_removed_server(member.id))
            .map(|member| member.id)
            .filter(|id| *id != metrics.id)
            .collect();
        // A leader that has just begun may not know yet who answers; who is known to answer goes first.
        let is_silent = |id: &ServerId| metrics.silent.get(id).is_none_or(|silent| *silent >= HEIR_SILENT_MAX);
        heirs.sort_by_key(|id| (is_silent(id), std::cmp::Reverse(matching(id))));
        for to in heirs.into_iter().take(HEIRS_MAX) {
            match raft.transfer_leadership(to, HAND_OVER_WITHIN).await {
                Ok(()) => return tracing::info!(to, "handed leadership over"),
                Err(error) => tracing::warn!(%error, to, "can't hand leadership over"),
            }
        }
    }
}
