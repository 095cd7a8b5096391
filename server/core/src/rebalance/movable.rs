//! Which instances may be moved at all, and why the others may not.

use model::{
    Allocation, ClientStatus, Desired, Evaluation, EvaluationStatus, Group, JobType, NodeStatus, StopReason, Timestamp,
};

use super::record::{Ask, Scope};
use crate::drain;
use crate::state::{JobVersion, State};

/// Key in the `meta` of a job or group that says whether its instances are rebalanced.
const META: &str = "sched_rebalance";
/// Its value where they never are.
const NEVER: &str = "never";

/// Why an instance is not moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeptBack {
    /// Its job or group forbids it.
    Forbidden,
    /// It belongs to a system job, which has its place on each node.
    SystemJob,
    /// It belongs to a batch job, whose work would begin anew.
    BatchJob,
    /// It is the only one of its group, and nobody asked to move such.
    Singleton,
    /// Its disk stays with it.
    StickyDisk,
    /// It writes to a volume of its host.
    HostVolume,
    /// It is a canary.
    Canary,
    /// Its job is being rolled out.
    Deploying,
    /// It runs an older version of its job.
    OldVersion,
    /// Its group lacks an instance.
    Incomplete,
    /// It is not running and healthy.
    Unwell,
    /// Its node drains.
    NodeDrains,
    /// Its node is silent.
    NodeSilent,
    /// It was moved a short while ago.
    JustMoved,
    /// It is being replaced.
    Moving,
    /// Its job is about to be looked at.
    Undecided,
}

impl KeptBack {
    /// A sentence for people.
    pub fn as_str(self) -> &'static str {
        match self {
            KeptBack::Forbidden => "meta.sched_rebalance is \"never\"",
            KeptBack::SystemJob => "a system job has its place on each node",
            KeptBack::BatchJob => "a batch job's work would begin anew",
            KeptBack::Singleton => "it is the only instance of its group",
            KeptBack::StickyDisk => "its disk is sticky",
            KeptBack::HostVolume => "it writes to a volume of its host",
            KeptBack::Canary => "it is a canary",
            KeptBack::Deploying => "its job is being deployed",
            KeptBack::OldVersion => "it runs an older version of its job",
            KeptBack::Incomplete => "its group lacks an instance",
            KeptBack::Unwell => "it is not running and healthy",
            KeptBack::NodeDrains => "its node drains",
            KeptBack::NodeSilent => "its node is silent",
            KeptBack::JustMoved => "it was moved a short while ago",
            KeptBack::Moving => "it is being replaced",
            KeptBack::Undecided => "its job is about to be scheduled",
        }
    }

    /// Whether it passes by itself soon, as a rule.
    pub(super) fn passes(self) -> bool {
        match self {
            KeptBack::Undecided | KeptBack::Moving | KeptBack::Incomplete | KeptBack::NodeSilent => true,
            KeptBack::Forbidden
            | KeptBack::SystemJob
            | KeptBack::BatchJob
            | KeptBack::Singleton
            | KeptBack::StickyDisk
            | KeptBack::HostVolume
            | KeptBack::Canary
            | KeptBack::Deploying
            | KeptBack::OldVersion
            | KeptBack::Unwell
            | KeptBack::NodeDrains
            | KeptBack::JustMoved => false,
        }
    }
}

/// Whether it is asked about `allocation` at all.
pub(super) fn is_in(scope: &Scope, state: &State, allocation: &Allocation) -> bool {
    let in_pool = |pool: &String| state.node(allocation.node).is_some_and(|node| node.pool == *pool);
    scope.job.as_ref().is_none_or(|job| *job == allocation.job)
        && scope.namespace.as_ref().is_none_or(|namespace| **namespace == *allocation.job.namespace)
        && scope.pool.as_ref().is_none_or(in_pool)
}

/// Why `allocation`, which is live, is not moved; none if it may be.
pub(super) fn kept_back(state: &State, ask: &Ask, allocation: &Allocation, now: Timestamp) -> Option<KeptBack> {
    let record = state.job(&allocation.job).filter(|record| !record.stop)?;
    let version = record.current();
    let job = &version.job;
    let Some(group) = job.group(&allocation.group) else { return Some(KeptBack::Undecided) };
    let is_forbidden = [&job.meta, &group.meta].iter().any(|meta| meta.get(META).is_some_and(|word| word == NEVER));
    let of_kind = match job.kind {
        JobType::Service => None,
        JobType::System | JobType::SysBatch => Some(KeptBack::SystemJob),
        JobType::Batch => Some(KeptBack::BatchJob),
    };
    let reasons = [
        (is_forbidden, KeptBack::Forbidden),
        (group.count < 2 && !ask.scope.singletons, KeptBack::Singleton),
        (group.ephemeral_disk.sticky, KeptBack::StickyDisk),
        (writes_to_host(group), KeptBack::HostVolume),
        (allocation.canary, KeptBack::Canary),
        (allocation.job_version != version.version, KeptBack::OldVersion),
        (drains(state, allocation), KeptBack::NodeDrains),
    ];
    let lasting = reasons.into_iter().find(|(holds, _)| *holds).map(|(_, reason)| reason);
    of_kind.or(lasting).or_else(|| passing(state, ask, allocation, version, now))
}

/// The reasons that are looked up among other things of the job.
fn passing(
    state: &State,
    ask: &Ask,
    allocation: &Allocation,
    version: &JobVersion,
    now: Timestamp,
) -> Option<KeptBack> {
    let before = allocation.ties().previous.and_then(|id| state.allocation(id));
    let was_moved = before.is_some_and(|before| before.desired == Desired::Stop(StopReason::Migrated));
    let is_replaced = allocation.ties().next.and_then(|id| state.allocation(id)).is_some_and(|next| next.is_live());
    let replaces = before.is_some_and(|before| before.is_live());
    let is_open = |status| {
        let due = |known: &Evaluation| known.status == status && known.wait_until.is_none();
        state.evaluations_of_job(&allocation.job).any(|known| due(known))
    };
    if state.node(allocation.node).is_none_or(|node| node.status != NodeStatus::Ready) {
        Some(KeptBack::NodeSilent)
    } else if state.latest_deployment(&version.job.key()).is_some_and(|known| known.status.is_active()) {
        Some(KeptBack::Deploying)
    } else if allocation.migrate || is_replaced || replaces {
        Some(KeptBack::Moving)
    } else if allocation.client_status != ClientStatus::Running || allocation.healthy == Some(false) {
        Some(KeptBack::Unwell)
    } else if was_moved && now.since(allocation.created_at) < ask.limits.cool_down {
        Some(KeptBack::JustMoved)
    } else if is_open(EvaluationStatus::Pending) {
        Some(KeptBack::Undecided)
    } else if is_open(EvaluationStatus::Blocked) || drain::missing(state, allocation) > 0 {
        Some(KeptBack::Incomplete)
    } else {
        None
    }
}

/// Whether what the group has written stays behind on its host, or each instance has volumes there of its own.
fn writes_to_host(group: &Group) -> bool {
    group.volumes.values().any(|volume| !volume.read_only || volume.per_alloc)
}

fn drains(state: &State, allocation: &Allocation) -> bool {
    state.node(allocation.node).is_some_and(|node| node.drain.is_some())
}
