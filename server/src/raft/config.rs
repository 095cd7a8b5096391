//! What can be set about consensus, with the values that production runs on.

use std::path::PathBuf;
use std::time::Duration;

use model::{ClusterId, ServerId};
use openraft::SnapshotPolicy;
use seams::Blocking;

/// One server's part in a cluster.
#[derive(Clone, Debug)]
pub struct Config {
    /// This server; never used before in this cluster.
    pub id: ServerId,
    /// The cluster.
    pub cluster: ClusterId,
    /// The folder that holds this server's log and snapshots and nothing else.
    pub folder: PathBuf,
    /// How long things take.
    pub timings: Timings,
    /// How large things get.
    pub sizes: Sizes,
    /// Where blocking work is done; the simulation does it inline.
    pub blocking: Blocking,
}

impl Config {
    /// The production values.
    pub fn new(id: ServerId, cluster: ClusterId, folder: impl Into<PathBuf>) -> Self {
        let (timings, sizes) = (Timings::default(), Sizes::default());
        Self { id, cluster, folder: folder.into(), timings, sizes, blocking: Blocking::Threads }
    }
}

/// The clocks of consensus. A leader is lost for `election_max` (its lease) plus one draw between the two election
/// times before another stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timings {
    /// How often a leader that has nothing to say is heard.
    pub heartbeat: Duration,
    /// The shortest election timeout. Must exceed the time in which a connection is given up, or candidates outrun
    /// their own requests for votes.
    pub election_min: Duration,
    /// The longest, and the length of a leader's lease.
    pub election_max: Duration,
    /// In which a follower must answer an append, its fsync included.
    pub append: Duration,
    /// In which one chunk of a snapshot must arrive, and in which the whole must be installed after the last.
    pub snapshot_chunk: Duration,
    /// The pause before an unreachable server is tried again.
    pub retry: Duration,
}

impl Default for Timings {
    fn default() -> Self {
        Self {
            heartbeat: Duration::from_millis(80),
            election_min: Duration::from_millis(250),
            election_max: Duration::from_millis(500),
            append: Duration::from_secs(1),
            snapshot_chunk: Duration::from_secs(30),
            retry: Duration::from_millis(100),
        }
    }
}

/// The sizes of log and snapshots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// A segment of the log, in bytes.
    pub segment_bytes: u64,
    /// How many entries after a snapshot the next is taken.
    pub snapshot_after_entries: u64,
    /// How many entries that a snapshot holds are kept all the same, so that a server that was away for a moment needs
    /// no snapshot.
    pub trailing_entries: u64,
    /// How many bytes of entries are held at most, about: beyond, a snapshot is taken early and half of them are kept.
    pub log_bytes_max: u64,
    /// A piece of a snapshot on its way to another server, in bytes.
    pub chunk_bytes: usize,
    /// The largest command, in bytes.
    pub command_bytes_max: usize,
}

impl Default for Sizes {
    fn default() -> Self {
        Self {
            segment_bytes: 16 << 20,
            snapshot_after_entries: 16_384,
            trailing_entries: 16_384,
            log_bytes_max: 64 << 20,
            chunk_bytes: 1 << 20,
            command_bytes_max: 4 << 20,
        }
    }
}

/// Most entries in one message to a follower.
const APPEND_ENTRIES_MAX: u64 = 1024;
/// How many entries are purged at a time.
const PURGE_BATCH: u64 = 64;
/// How long a leader that was removed stays, so that its followers learn of it.
const REMOVED_LEADER_STAYS_MS: u64 = 150;

/// openraft's view of the configuration.
pub fn openraft_config(config: &Config) -> Result<openraft::Config, openraft::ConfigError> {
    let Config { timings, sizes, .. } = config;
    openraft::Config {
        cluster_name: config.cluster.to_string(),
        heartbeat_interval: milliseconds(timings.heartbeat),
        election_timeout_min: milliseconds(timings.election_min),
        election_timeout_max: milliseconds(timings.election_max),
        install_snapshot_timeout: milliseconds(timings.snapshot_chunk),
        enable_pre_vote: Some(true),
        max_payload_entries: APPEND_ENTRIES_MAX,
        snapshot_policy: SnapshotPolicy::LogsSinceLast(sizes.snapshot_after_entries),
        max_in_snapshot_log_to_keep: sizes.trailing_entries,
        // Beyond what is kept a follower needs a snapshot anyway; up to there the log is the shorter way.
        replication_lag_threshold: sizes.snapshot_after_entries + sizes.trailing_entries + 1,
        snapshot_max_chunk_size: sizes.chunk_bytes as u64,
        purge_batch_size: PURGE_BATCH.min(sizes.trailing_entries + 1),
        // Neither state nor commit position is synced with each entry, so a leader that restarts may be behind what it
        // once answered: it must be elected again.
        enable_leader_restore: Some(false),
        removed_leader_step_down: openraft::StepDownPolicy::After(REMOVED_LEADER_STAYS_MS),
        ..openraft::Config::default()
    }
    .validate()
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
