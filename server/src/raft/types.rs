//! What openraft's type parameters are here, and short names for the types that follow from them.
//!
//! A log entry's command is the caller's bytes, a term has at most one leader (so that a term alone fences plans), and
//! the runtime is tokio's with a random source that follows from the seed given to [`start`](super::Raft::start).

use std::fmt;

use bytes::Bytes;
use model::{ServerId, Term};
use openraft::alias;
use openraft_rt::deterministic_rng::DeterministicRng;
use openraft_rt_tokio::TokioRuntime;

/// tokio, with elections' randomness derived from a seed.
pub type Runtime = DeterministicRng<TokioRuntime>;

/// A command as the log carries it: opaque.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Command(pub Bytes);

/// What [`Machine::apply`](super::Machine::apply) answered.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Answer(pub Bytes);

openraft::declare_raft_types!(
    /// The types of this cluster.
    pub TypeConfig:
        D = Command,
        R = Answer,
        NodeId = ServerId,
        Node = openraft::BasicNode,
        Term = Term,
        LeaderId = openraft::impls::leader_id_std::LeaderId<Term, ServerId>,
        AsyncRuntime = Runtime,
);

pub type LogId = alias::LogIdOf<TypeConfig>;
pub type Vote = alias::VoteOf<TypeConfig>;
pub type Entry = alias::EntryOf<TypeConfig>;
pub type Payload = alias::PayloadOf<TypeConfig>;
pub type Membership = openraft::Membership<ServerId, openraft::BasicNode>;
pub type StoredMembership = alias::StoredMembershipOf<TypeConfig>;
pub type SnapshotMeta = alias::SnapshotMetaOf<TypeConfig>;
pub type Snapshot = alias::SnapshotOf<TypeConfig, Bytes>;
pub type Flushed = openraft::storage::IOFlushed<TypeConfig>;

/// The log id of `index` in the log of `term`'s leader.
pub fn log_id(term: Term, index: u64) -> LogId {
    LogId::new(openraft::vote::leader_id_std::CommittedLeaderId::new(term), index)
}

impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}
