//! Where consensus stands on this server, as numbers.

use std::collections::BTreeMap;
use std::time::Duration;

use model::{Index, ServerId, Term};
use openraft::{Instant as _, RaftMetrics, ServerState};

use super::members::{Member, members_of};
use super::types::TypeConfig;

/// The positions of one server at one moment. An index of 0 stands for none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metrics {
    /// This server.
    pub id: ServerId,
    /// The highest term it knows.
    pub term: Term,
    /// Whom it follows, or itself.
    pub leader: Option<ServerId>,
    /// Whether that is itself.
    pub is_leader: bool,
    /// The last entry of its log.
    pub last_log: Index,
    /// The last entry that it knows to be committed.
    pub committed: Index,
    /// The last entry that is applied.
    pub applied: Index,
    /// The last entry that its snapshot holds.
    pub snapshot: Index,
    /// The last entry that is no longer in its log.
    pub purged: Index,
    /// All servers, by id.
    pub members: Vec<Member>,
    /// On the leader: up to where each server's log is known to match.
    pub matching: BTreeMap<ServerId, Index>,
    /// On the leader: how long ago each server answered it last; none that has not yet.
    pub silent: BTreeMap<ServerId, Duration>,
}

/// What openraft says of itself, in our words.
pub fn metrics_of(metrics: &RaftMetrics<TypeConfig>) -> Metrics {
    let index = |log_id: &Option<super::types::LogId>| log_id.map_or(0, |log_id| log_id.index());
    Metrics {
        id: metrics.id,
        term: metrics.current_term,
        leader: metrics.current_leader,
        is_leader: metrics.state == ServerState::Leader,
        last_log: metrics.last_log_index.unwrap_or(0),
        committed: index(&metrics.local_committed),
        applied: index(&metrics.last_applied),
        snapshot: index(&metrics.snapshot),
        purged: index(&metrics.purged),
        members: members_of(&metrics.membership_config),
        silent: metrics.heartbeat.iter().flatten().filter_map(|(id, at)| Some((*id, at.as_ref()?.elapsed()))).collect(),
        matching: metrics.replication.iter().flatten().map(|(id, log_id)| (*id, index(log_id))).collect(),
    }
}
