//! Drains: which allocations may move next, which must end now, and which drains are over.
//!
//! Level-triggered: the leader asks again after every change and at [`Step::wake_at`], and nothing is remembered, so a
//! new leader goes on where the old one stopped. The planner does the moving; it stops an allocation only when its
//! replacement is healthy.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::{
    Allocation, AllocationId, ClientStatus, Desired, EvaluationStatus, JobKey, JobType, Node, NodeId, Timestamp,
};

use crate::state::State;

/// What the drains need next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// Allocations that may be replaced now.
    pub moves: Vec<AllocationId>,
    /// Allocations that must end now: the deadline has passed, or only system jobs are left.
    pub stops: Vec<AllocationId>,
    /// Nodes that hold nothing any more.
    pub complete: Vec<NodeId>,
    /// When to ask again at the latest.
    pub wake_at: Option<Timestamp>,
}

/// What the drains need next.
pub fn next(state: &State, now: Timestamp) -> Step {
    let mut step = Step::default();
    let mut budgets = Budgets::default();
    for node in state.nodes().filter(|node| node.drain.is_some()) {
        next_of_node(state, node, now, &mut budgets, &mut step);
    }
    step
}

fn next_of_node(state: &State, node: &Node, now: Timestamp, budgets: &mut Budgets, step: &mut Step) {
    let Some(drain) = &node.drain else { return };
    let (system, others): (Vec<_>, Vec<_>) = state
        .allocations_of_node(node.id)
        .filter(|allocation| allocation.holds())
        .partition(|allocation| kind(state, allocation).is_per_node());
    let system_stays = drain.ignore_system_jobs;
    if others.is_empty() && (system.is_empty() || system_stays) {
        step.complete.push(node.id);
        return;
    }
    let runs = |allocation: &&&Arc<Allocation>| allocation.desired == Desired::Run;
    let is_over = drain.ends_at().is_some_and(|end| end <= now);
    if is_over {
        step.stops.extend(others.iter().filter(runs).map(|allocation| allocation.id));
    } else {
        step.wake_at = step.wake_at.into_iter().chain(drain.ends_at()).min();
        for allocation in others.iter().filter(runs).filter(|allocation| !allocation.migrate) {
            // A batch job's instance is left to finish.
            if kind(state, allocation) == JobType::Service && budgets.take(state, allocation) {
                step.moves.push(allocation.id);
            }
        }
    }
    if !system_stays && (is_over || others.is_empty()) {
        step.stops.extend(system.iter().filter(runs).map(|allocation| allocation.id));
    }
}

fn kind(state: &State, allocation: &Allocation) -> JobType {
    state.job_version(&allocation.job, allocation.job_version).map(|version| version.job.kind).unwrap_or_default()
}

/// How many more instances of each group may move.
#[derive(Default)]
struct Budgets {
    left: BTreeMap<(JobKey, String), u32>,
}

impl Budgets {
    fn take(&mut self, state: &State, allocation: &Allocation) -> bool {
        let key = (allocation.job.clone(), allocation.group.clone());
        let left = self.left.entry(key).or_insert_with(|| {
            let migrate = state
                .job_version(&allocation.job, allocation.job_version)
                .and_then(|version| version.job.group(&allocation.group).and_then(|group| group.migrate.clone()))
                .unwrap_or_default();
            // One moves until it is observed gone; of what is out of contact nobody knows when that will be.
            let moves = |known: &&Arc<Allocation>| {
                known.migrate && known.holds() && known.client_status != ClientStatus::Unknown
            };
            let of_group = state.allocations_of_job(&allocation.job).filter(|known| known.group == allocation.group);
            let moving = of_group.filter(moves).count();
            migrate.max_parallel.max(1).saturating_sub(u32::try_from(moving).unwrap_or(u32::MAX))
        });
        let may = *left > 0;
        *left = left.saturating_sub(1);
        may
    }
}

/// Where one allocation of a draining node stands, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The allocation.
    pub allocation: AllocationId,
    /// Where it stands.
    pub stage: Stage,
    /// Why, in words; empty for nothing to add.
    pub detail: String,
}

/// Where an allocation of a draining node stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Others of its group move first, or nothing fits it elsewhere.
    Waiting,
    /// Its replacement starts.
    Migrating,
    /// It shall end, and has not been observed gone.
    Stopping,
    /// It is gone.
    Gone,
    /// It stays: a system job that the drain leaves alone.
    Ignored,
}

impl Stage {
    /// The word for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Stage::Waiting => "waiting",
            Stage::Migrating => "migrating",
            Stage::Stopping => "stopping",
            Stage::Gone => "gone",
            Stage::Ignored => "ignored",
        }
    }
}

/// Where the allocations of a node stand that drains, or whose drain is the last thing that happened to it. What ended
/// before the drain began has nothing to do with it.
pub fn progress(state: &State, node: &Node) -> Vec<Progress> {
    let Some(last) = &node.last_drain else { return Vec::new() };
    let concerned = |allocation: &&Arc<Allocation>| allocation.holds() || allocation.modified_at >= last.started_at;
    let of_node = state.allocations_of_node(node.id).filter(concerned);
    of_node.map(|allocation| progress_of(state, node, allocation)).collect()
}

fn progress_of(state: &State, node: &Node, allocation: &Allocation) -> Progress {
    let ignores = node.drain.as_ref().is_some_and(|drain| drain.ignore_system_jobs);
    let replacement = allocation.next.and_then(|next| state.allocation(next));
    let (stage, detail) = if !allocation.holds() {
        (Stage::Gone, replacement.map(|known| words_of(known)).unwrap_or_default())
    } else if ignores && kind(state, allocation).is_per_node() {
        (Stage::Ignored, "a system job's, which stays".into())
    } else if allocation.desired != Desired::Run {
        (Stage::Stopping, "waits until its containers are gone".into())
    } else if let Some(failed) = replacement.filter(|known| known.client_status == ClientStatus::Failed) {
        (Stage::Waiting, format!("{}; the next one waits", words_of(failed)))
    } else if let Some(replacement) = replacement {
        (Stage::Migrating, words_of(replacement))
    } else if allocation.migrate {
        (Stage::Waiting, why_unplaced(state, node, allocation))
    } else {
        match kind(state, allocation) {
            JobType::Service => (Stage::Waiting, "others of its group move first (max_parallel)".into()),
            JobType::Batch | JobType::SysBatch => (Stage::Waiting, "runs to its end, or to the deadline".into()),
            JobType::System => (Stage::Waiting, "system jobs stop last".into()),
        }
    };
    Progress { allocation: allocation.id, stage, detail }
}

/// Where a replacement stands.
fn words_of(replacement: &Allocation) -> String {
    let stands = match replacement.healthy {
        _ if replacement.client_status.is_terminal() => replacement.client_status.as_str(),
        Some(true) => "healthy",
        Some(false) => "unhealthy",
        None => replacement.client_status.as_str(),
    };
    format!("replacement {} {stands} on {}", replacement.id.short(), replacement.node_name)
}

/// Why an allocation that may move has no replacement yet.
fn why_unplaced(state: &State, node: &Node, allocation: &Allocation) -> String {
    let unplaced = state
        .open_evaluations(EvaluationStatus::Blocked)
        .filter(|evaluation| evaluation.job == allocation.job)
        .find_map(|evaluation| evaluation.unplaced.get(&allocation.group));
    let reasons = unplaced.map(|unplaced| unplaced.reasons.keys().cloned().collect::<Vec<_>>().join(", "));
    let ends = node.drain.as_ref().is_some_and(|drain| drain.ends_at().is_some());
    match reasons {
        Some(reasons) if ends => format!("no other node takes it ({reasons}): it stops at the deadline"),
        Some(reasons) => format!("no other node takes it ({reasons}): it stays until one does"),
        None => "its replacement is being placed".into(),
    }
}
