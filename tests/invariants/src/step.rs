//! What invariants are shown: one entry as a server applied it, and containers as somebody found them.

use std::collections::BTreeSet;
use std::sync::Arc;

use model::{Allocation, AllocationId, Deployment, DeploymentId, Desired, Group, Index, StopReason, Term, Timestamp};
use server_core::apply::{Answer, Applied};
use server_core::command::Entry;
use server_core::state::{Change, State};

/// One entry, as a server applied it.
#[derive(Clone, Copy)]
pub struct Step<'a> {
    /// Its index.
    pub index: Index,
    /// The term in which it was proposed.
    pub term: Term,
    /// The entry.
    pub entry: &'a Entry,
    /// What it did.
    pub applied: &'a Applied,
    /// The state before.
    pub before: &'a State,
    /// The state after.
    pub after: &'a State,
}

impl<'a> Step<'a> {
    /// Whether it was accepted.
    pub fn is_accepted(&self) -> bool {
        match self.applied.answer {
            Answer::Accepted(_) => true,
            Answer::Rejected(_) => false,
        }
    }

    /// The allocations that it changed, each as it was (none if it is new) and as it is.
    pub fn allocations(&self) -> impl Iterator<Item = (Option<&'a Arc<Allocation>>, &'a Arc<Allocation>)> {
        let ids: BTreeSet<AllocationId> = self
            .applied
            .changes
            .iter()
            .filter_map(|change| match change {
                Change::Allocation { id, .. } => Some(*id),
                Change::Job { .. }
                | Change::Node { .. }
                | Change::Evaluation(_)
                | Change::Deployment(_)
                | Change::Service(_)
                | Change::Volume { .. } => None,
            })
            .collect();
        let (before, after) = (self.before, self.after);
        ids.into_iter().filter_map(move |id| Some((before.allocation(id), after.allocation(id)?)))
    }

    /// The allocations that it placed.
    pub fn placed(&self) -> impl Iterator<Item = &'a Arc<Allocation>> {
        self.allocations().filter(|(before, _)| before.is_none()).map(|(_, after)| after)
    }

    /// The allocations that it ended for that reason, as they were before.
    pub fn stopped(&self, reason: StopReason) -> impl Iterator<Item = (&'a Arc<Allocation>, &'a Arc<Allocation>)> {
        let ends = move |after: &Allocation| after.desired == Desired::Stop(reason);
        self.allocations()
            .filter_map(|(before, after)| Some((before?, after)))
            .filter(move |(before, after)| before.desired == Desired::Run && ends(after))
    }

    /// The deployments that it changed, each as it was and as it is.
    pub fn deployments(&self) -> impl Iterator<Item = (Option<&'a Arc<Deployment>>, &'a Arc<Deployment>)> {
        let ids: BTreeSet<DeploymentId> = self
            .applied
            .changes
            .iter()
            .filter_map(|change| match change {
                Change::Deployment(id) => Some(*id),
                Change::Job { .. }
                | Change::Node { .. }
                | Change::Evaluation(_)
                | Change::Allocation { .. }
                | Change::Service(_)
                | Change::Volume { .. } => None,
            })
            .collect();
        let (before, after) = (self.before, self.after);
        ids.into_iter().filter_map(move |id| Some((before.deployment(id), after.deployment(id)?)))
    }
}

/// The group that an allocation runs, in its version.
pub fn group_of<'a>(state: &'a State, allocation: &Allocation) -> Option<&'a Group> {
    state.job_version(&allocation.job, allocation.job_version)?.job.group(&allocation.group)
}

/// A container, as somebody found it on a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Container {
    /// The runtime's id of it.
    pub id: String,
    /// The allocation that its labels name; none for one of strangers.
    pub allocation: Option<AllocationId>,
    /// The task that its labels name; empty for one of strangers.
    pub task: String,
    /// The process.
    pub pid: u64,
    /// When it was started.
    pub started_at: Timestamp,
}
