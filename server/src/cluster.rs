//! What the listeners of a server (HTTP, DNS) need of the cluster: its state, a way to change it, and its agents.
//!
//! Implemented by the running server over Raft, and in tests by one state in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use model::{Index, NodeId, ServerId, Term, Usage};
use proto::net::Channel;
use proto::wire;
use serde::{Deserialize, Serialize};
use server_core::apply::Answer;
use server_core::autopilot::ServerSeen;
use server_core::command::Command;
use server_core::state::{Change, State};
use thiserror::Error;
use tokio::sync::watch;

use crate::alarms::Raised;

/// How fresh a read must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consistency {
    /// At least everything that was acknowledged before the read began: asks the leader once.
    Linearizable,
    /// Whatever this server has.
    Stale,
}

/// A state to read from, and how old it may be.
#[derive(Clone)]
pub struct View {
    /// The state.
    pub state: Arc<State>,
    /// How long ago this server last heard of a leader.
    pub last_contact: Duration,
    /// Whether there is a leader as far as this server knows.
    pub known_leader: bool,
}

/// Why the cluster could not answer.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ClusterError {
    /// Nobody leads; nothing was done.
    #[error("No cluster leader")]
    NoLeader,
    /// The deadline passed: whether the change was made is unknown.
    #[error("the change was not confirmed in time; it may or may not have been made")]
    Unknown,
    /// The leader's disk is full or failed; nothing was done. Reads go on.
    #[error("nothing can be changed now: {0}")]
    Storage(String),
    /// It can't be done, or was not in time; the words say why.
    #[error("{0}")]
    Refused(String),
    /// No server serves the node's agent.
    #[error("No path to node")]
    NoPath,
    /// The server is going away.
    #[error("the server is shutting down")]
    Stopping,
}

/// Who leads, as far as this server knows.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Leadership {
    /// The term.
    pub term: Term,
    /// The leader, with its RPC address.
    pub leader: Option<(ServerId, String)>,
    /// Whether it is this server.
    pub is_self: bool,
    /// How often agents are asked to beat, as far as this server has heard.
    pub beat_interval: Duration,
}

/// A server as consensus sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its id.
    pub id: ServerId,
    /// Its RPC address.
    pub address: String,
    /// Whether its vote counts.
    pub is_voter: bool,
}

/// How the servers do, as the leader sees it.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ServersSeen {
    /// Each server.
    pub servers: Vec<ServerSeen>,
    /// Index of the last entry in the leader's log.
    pub last_log: Index,
    /// The leader's term.
    pub term: Term,
}

/// Numbers of consensus, for metrics and status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct LogNumbers {
    /// The term.
    pub term: Term,
    /// Index of the last entry in the log.
    pub last_log: Index,
    /// Index of the last committed entry.
    pub committed: Index,
    /// Index of the last applied entry.
    pub applied: Index,
    /// Index of the last snapshot.
    pub snapshot: Index,
}

/// One entry's changes, for the event stream.
#[derive(Clone, Debug)]
pub struct Happening {
    /// Index of the entry.
    pub index: Index,
    /// What it changed.
    pub changes: Arc<Vec<Change>>,
    /// The state right after it.
    pub state: Arc<State>,
}

/// What the listeners of a server need of the cluster.
#[async_trait]
pub trait Cluster: Send + Sync + 'static {
    /// A state to read from.
    async fn view(&self, consistency: Consistency) -> Result<View, ClusterError>;

    /// The newest state of this server; a receiver wakes whenever it is replaced.
    fn states(&self) -> watch::Receiver<Arc<State>>;

    /// Proposes a command on behalf of `caller` (for the audit) and returns what `apply` answered, once this server has
    /// applied it too. A `request` id makes a retry harmless.
    async fn propose(&self, caller: &str, request: Option<[u8; 16]>, command: Command) -> Result<Answer, ClusterError>;

    /// The happenings after `index` that are still buffered, oldest first; none if `index` is older than the buffer.
    fn happenings_after(&self, index: Index) -> Option<Vec<Happening>>;

    /// Who leads.
    fn leadership(&self) -> Leadership;

    /// The servers as consensus sees them.
    fn members(&self) -> Vec<Member>;

    /// The servers that answered the leader lately, as the leader says. Where nobody leads, a server knows of itself only.
    async fn members_alive(&self) -> BTreeSet<ServerId>;

    /// Numbers of consensus.
    fn log_numbers(&self) -> LogNumbers;

    /// How many alarms were raised here since this server started, and the newest of them, oldest first.
    fn alarms(&self) -> (u64, Vec<Raised>) {
        (0, Vec::new())
    }

    /// This server.
    fn server_id(&self) -> ServerId;

    /// Passes an order on to a node's agent; the answer arrives as `data` frames and one `end`.
    async fn order(&self, node: NodeId, order: wire::order::Body) -> Result<Channel, ClusterError>;

    /// What is used on the nodes, as their last beats said; asks the leader.
    async fn usage(&self) -> Result<BTreeMap<NodeId, Usage>, ClusterError>;

    /// How the servers do; asks the leader.
    async fn servers_seen(&self) -> Result<ServersSeen, ClusterError>;

    /// Takes a server out of the cluster for good.
    async fn remove_server(&self, id: ServerId) -> Result<(), ClusterError>;

    /// Hands leadership to a voter, and waits until it leads.
    async fn transfer_leadership(&self, to: ServerId) -> Result<(), ClusterError>;
}
