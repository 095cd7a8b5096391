//! Consensus: puts commands into a log that a majority of servers has on disk, and applies them in the same order
//! everywhere.
//!
//! ```text
//! propose ──► openraft ──► log (write-ahead, fsync) ──┐            Machine::apply ──► answer
//!                │                                    ├─ committed ──►  (state_machine)
//!                └──► network ──► Peers ──► other servers' receive ──► their log
//! ```
//!
//! The algorithm is openraft's; this module is the only one that knows it. Ours are the log's files
//! (`log`), the snapshots' files, the encoding of everything that is stored or sent, and the answers to
//! callers: a proposal is committed, refused for a leader elsewhere, or *unknown*. What commands mean is the
//! [`Machine`]'s business, how servers reach each other is [`Peers`]'. Who calls: the server's shell.

mod config;
mod contact;
mod encoding;
mod folder;
mod identity;
mod leadership;
mod log;
mod machine;
mod members;
mod messages;
mod metrics;
mod network;
mod peers;
mod propose;
mod read;
mod receive;
mod snapshots;
mod state_machine;
mod store;
mod trim;
mod types;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use model::{Index, ServerId, Term};
use openraft::BasicNode;
use openraft::async_runtime::WatchReceiver as _;
use openraft::errors::{InitializeError, RaftError};
use seams::Disk;
use thiserror::Error;
use tokio::sync::{mpsc, watch};
use tokio::time::{Duration, Instant, timeout};
use tokio_util::sync::CancellationToken;

pub use config::{Config, Sizes, Timings};
pub use folder::{Inspection, NewFolder, has_begun, inspect, prepare};
pub use identity::ClaimFolderError;
pub use leadership::Leadership;
pub use log::OpenLogError;
pub use machine::{FrozenState, Machine};
pub use members::{ChangeMembersError, Member, Role};
pub use metrics::Metrics;
pub use peers::{PeerError, Peers};
pub use propose::{Committed, ProposeError};
pub use read::ReadError;
pub use receive::SNAPSHOT_BYTES_MAX;

use contact::Contact;
use log::{LogConfig, Writer};
use network::Network;
use receive::Receiver;
use snapshots::Snapshots;
use state_machine::{StateMachine, Told};
use store::Store;
use types::{Runtime, TypeConfig};

type Core = openraft::Raft<TypeConfig, StateMachine>;

/// One server's consensus. Clones are the same server.
#[derive(Clone)]
pub struct Raft {
    inner: Arc<Inner>,
}

struct Inner {
    core: Core,
    writer: Writer,
    network: Network,
    receiver: Receiver,
    contact: Contact,
    leadership: watch::Receiver<Leadership>,
    applied: watch::Receiver<Index>,
    voters: watch::Receiver<BTreeSet<ServerId>>,
    command_bytes_max: usize,
    /// Ends what waits for a full disk.
    stops: CancellationToken,
}

/// The server can't start.
#[derive(Debug, Error)]
pub enum StartError {
    /// The data folder is not this server's.
    #[error(transparent)]
    Folder(#[from] ClaimFolderError),
    /// The log can't be opened.
    #[error(transparent)]
    Log(#[from] OpenLogError),
    /// The newest snapshot can't be read, or the machine can't be restored from it.
    #[error("can't restore the state from the newest snapshot")]
    Snapshot(#[source] io::Error),
    /// The timings or sizes contradict each other.
    #[error("the settings of consensus are not possible: {0}")]
    Config(String),
    /// openraft refused what it found.
    #[error("consensus can't start: {0}")]
    Core(String),
}

/// The first server can't begin a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum InitializeClusterError {
    /// It is part of one, or was.
    #[error("this server already has a log; only a server with an empty data folder begins a cluster")]
    NotPristine,
    /// It stopped.
    #[error("this server is stopping: {0}")]
    Stopped(String),
}

impl Raft {
    /// Starts a server from what its folder holds. Everything random follows from `seed`; production draws it from the
    /// operating system.
    pub async fn start(
        config: Config,
        disk: Arc<dyn Disk>,
        peers: Arc<dyn Peers>,
        machine: Box<dyn Machine>,
        seed: u64,
    ) -> Result<Self, StartError> {
        let openraft_config =
            config::openraft_config(&config).map_err(|error| StartError::Config(error.to_string()))?;
        let told = Told::default();
        let (applied, voters) = (told.applied.subscribe(), told.voters.subscribe());
        let (sizes, timings, blocking) = (config.sizes, config.timings, config.blocking);
        let network =
            Network { cluster: config.cluster, id: config.id, peers, timings, chunk_bytes: sizes.chunk_bytes };
        let id = config.id;
        let stops = CancellationToken::new();
        let stopping = stops.clone();
        let (contents, segments, state_machine) = blocking
            .run(move || open(&config, disk, machine, told, stopping))
            .await
            .map_err(|error| StartError::Core(error.to_string()))??;

        let writer = Writer::start(segments, blocking);
        let store = Store::new(contents, writer.clone());
        let starting = Core::new(id, Arc::new(openraft_config), network.clone(), store.clone(), state_machine);
        let core = Runtime::scope(seed, starting).await.map_err(|error| StartError::Core(error.to_string()))?;

        let (publish, leadership) = watch::channel(Leadership::default());
        let contact = Contact::new();
        tokio::spawn(trim::keep_small(core.clone(), store, sizes.log_bytes_max));
        tokio::spawn(leadership::follow(core.clone(), contact.clone(), publish, timings));
        let receiver = Receiver::new(core.clone(), network.clone(), contact.clone(), writer.clone());
        let command_bytes_max = sizes.command_bytes_max;
        let inner =
            Inner { core, writer, network, receiver, contact, leadership, applied, voters, command_bytes_max, stops };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Begins a cluster whose only member is this server, reached by others at `address`. Once in the life of a
    /// cluster; all further servers join through [`Raft::add_server`].
    pub async fn initialize(&self, address: &str) -> Result<(), InitializeClusterError> {
        let members = BTreeMap::from([(self.id(), BasicNode::new(address))]);
        self.inner.core.initialize(members).await.map_err(|error| match error {
            RaftError::APIError(InitializeError::NotAllowed(_) | InitializeError::NotInMembers(_)) => {
                InitializeClusterError::NotPristine
            }
            RaftError::Fatal(fatal) => InitializeClusterError::Stopped(fatal.to_string()),
        })
    }

    /// Puts a command into the log and waits for the machine's answer, at most `within`. While there is no leader it
    /// goes on trying; a leader elsewhere is an answer.
    pub async fn propose(&self, entry: Bytes, within: Duration) -> Result<Committed, ProposeError> {
        self.check_size(&entry)?;
        self.propose_made(|| Some(entry.clone()), within).await
    }

    /// The same with a command that is made just before it is put into the log, at each try anew; none while this server,
    /// though it may lead, takes none yet. It must be small enough to be proposed.
    pub async fn propose_made(
        &self,
        entry: impl Fn() -> Option<Bytes>,
        within: Duration,
    ) -> Result<Committed, ProposeError> {
        let Inner { core, writer, .. } = &*self.inner;
        propose::propose(core, writer, entry, within).await
    }

    /// Whether a command is small enough to be proposed, on any server.
    pub fn check_size(&self, entry: &Bytes) -> Result<(), ProposeError> {
        let (bytes, bytes_max) = (entry.len(), self.inner.command_bytes_max);
        if bytes > bytes_max { Err(ProposeError::TooLarge { bytes, bytes_max }) } else { Ok(()) }
    }

    /// The index that must be applied before a read that begins now is linearizable. On any server: a follower asks the
    /// leader.
    pub async fn read_index(&self, within: Duration) -> Result<Index, ReadError> {
        let Inner { core, network, leadership, .. } = &*self.inner;
        read::read_index(core, network, leadership, within).await
    }

    /// Waits until entry `index` is applied here.
    pub async fn wait_applied(&self, index: Index, within: Duration) -> Result<(), ReadError> {
        read::wait_applied(&self.inner.applied, index, within).await
    }

    /// Makes a read that follows it linearizable: finds the index and waits until it is applied here.
    pub async fn barrier(&self, within: Duration) -> Result<Index, ReadError> {
        let deadline = Instant::now() + within;
        let index = self.read_index(within).await?;
        self.wait_applied(index, deadline.saturating_duration_since(Instant::now())).await?;
        Ok(index)
    }

    /// Who leads; follow it to begin and end the leader's work.
    pub fn leader(&self) -> watch::Receiver<Leadership> {
        self.inner.leadership.clone()
    }

    /// Whether this server leads in `term`: work that was begun under another is void. Another server may lead already
    /// without this one knowing; only a committed command is proof.
    pub fn leads(&self, term: Term) -> bool {
        self.inner.leadership.borrow().leads(term)
    }

    /// How old what is applied here may be: on a leader the time since a majority answered it, on a follower since it
    /// heard its leader.
    pub fn silence(&self) -> Duration {
        self.inner.contact.silence(&self.inner.core)
    }

    /// The last entry that is applied here, and every later one.
    pub fn applied(&self) -> watch::Receiver<Index> {
        self.inner.applied.clone()
    }

    /// Where this server stands.
    pub fn metrics(&self) -> Metrics {
        metrics::metrics_of(&self.inner.core.metrics().borrow_watched())
    }

    /// All servers of the cluster, by id.
    pub fn members(&self) -> Vec<Member> {
        self.metrics().members
    }

    /// Those whose votes count, as far as is committed and applied here: whoever is not among them stands in for nobody yet.
    pub fn voters(&self) -> BTreeSet<ServerId> {
        self.inner.voters.borrow().clone()
    }

    /// Brings a started server into the cluster, and waits until it votes. Only on the leader; repeating it is
    /// harmless. The id must be new in the life of the cluster.
    pub async fn add_server(&self, id: ServerId, address: &str, within: Duration) -> Result<(), ChangeMembersError> {
        members::add(&self.inner.core, id, address, within).await
    }

    /// Takes a server out of the cluster. Only on the leader; repeating it is harmless.
    pub async fn remove_server(&self, id: ServerId, within: Duration) -> Result<(), ChangeMembersError> {
        members::remove(&self.inner.core, id, within).await
    }

    /// Hands leadership to another voter and waits until it leads.
    pub async fn transfer_leadership(&self, to: ServerId, within: Duration) -> Result<(), ChangeMembersError> {
        members::transfer(&self.inner.core, to, within).await
    }

    /// Takes a snapshot of what is applied now and waits until it is on disk; answers the last index that it holds, or
    /// none if that took too long.
    pub async fn snapshot_now(&self, within: Duration) -> Option<Index> {
        let applied = self.metrics().applied;
        self.inner.core.trigger().snapshot().await.ok()?;
        let taken = |metrics: &openraft::RaftMetrics<TypeConfig>| {
            metrics.snapshot.is_some_and(|snapshot| snapshot.index() >= applied)
        };
        let metrics = self.inner.core.wait(Some(within)).metrics(taken, "the snapshot is taken").await.ok()?;
        metrics.snapshot.map(|snapshot| snapshot.index())
    }

    /// Answers one message of server `from`, whose identity the caller has established.
    pub async fn handle(&self, from: ServerId, message: Bytes) -> Bytes {
        self.inner.receiver.handle(from, message).await
    }

    /// Answers the messages of a stream that server `from` opened, in order, until either side ends it.
    pub async fn serve_appends(&self, from: ServerId, requests: mpsc::Receiver<Bytes>, replies: mpsc::Sender<Bytes>) {
        self.inner.receiver.serve_appends(from, requests, replies).await;
    }

    /// Returns when consensus has ended on this server, with the reason. Unless it was asked to, the process must end
    /// too: after a storage error nothing here can be trusted.
    pub async fn stopped(&self) -> String {
        tokio::select! {
            biased;
            // The core hears of it only with its next write.
            reason = self.inner.writer.poisoned() => reason,
            reason = self.core_stopped() => reason,
        }
    }

    async fn core_stopped(&self) -> String {
        let mut metrics = self.inner.core.metrics();
        loop {
            if let Err(fatal) = &metrics.borrow_and_update().running_state {
                return fatal.to_string();
            }
            if metrics.changed().await.is_err() {
                return "consensus has ended".to_string();
            }
        }
    }

    /// Why there is no room for more commands on this server's disk, now and whenever that changes.
    pub fn shortage(&self) -> watch::Receiver<Option<String>> {
        self.inner.writer.shortage()
    }

    /// Stops this server and closes its log. A leader that can should hand over first.
    pub async fn shutdown(&self) {
        const CORE_STOPS_WITHIN: Duration = Duration::from_secs(10);
        self.inner.stops.cancel();
        self.inner.writer.stop_waiting();
        if timeout(CORE_STOPS_WITHIN, self.inner.core.shutdown()).await.is_err() {
            tracing::warn!("consensus did not stop in time");
        }
        self.inner.writer.stop().await;
    }

    fn id(&self) -> ServerId {
        *self.inner.core.node_id()
    }
}

/// Reads everything that a stopped server left. Blocks.
fn open(
    config: &Config,
    disk: Arc<dyn Disk>,
    machine: Box<dyn Machine>,
    told: Told,
    stops: CancellationToken,
) -> Result<(log::Contents, log::Segments, StateMachine), StartError> {
    identity::claim(&*disk, &config.folder, config.cluster, config.id)?;
    let log_config = LogConfig {
        folder: config.folder.join("log"),
        segment_bytes: config.sizes.segment_bytes,
        cluster: config.cluster,
        server: config.id,
    };
    let folder = log_config.folder.clone();
    let (contents, segments) = log::recover(disk.clone(), log_config)?;
    let snapshots =
        Snapshots::open(disk, config.folder.join("snapshots"), config.cluster).map_err(StartError::Snapshot)?;
    let machine =
        StateMachine::restore(machine, snapshots, config.blocking, told, stops).map_err(StartError::Snapshot)?;
    if contents.purged > machine.last() {
        let purged = contents.purged.map_or(0, |purged| purged.index());
        let held =
            machine.last().map_or_else(|| "nothing".to_string(), |last| format!("entries up to {}", last.index()));
        return Err(OpenLogError::Gap { folder, purged, held }.into());
    }
    Ok((contents, segments, machine))
}

#[cfg(test)]
mod tests;
