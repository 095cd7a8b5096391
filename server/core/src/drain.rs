//! Drains: which allocations may move next, which must end now, and which drains are over.
//!
//! Level-triggered: the leader asks again after every change and at [`Step::wake_at`], and nothing is remembered, so a
//! new leader goes on where the old one stopped. The planner does the moving; it stops an allocation only when its
//! replacement is healthy. Only what no other node takes stops first: then its group misses an instance until there is
//! room, so never more than `max_parallel` of a group do, and the rest waits for room or for the deadline.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::old_bugs::{OldBug, is_on};
use model::{
    Allocation, AllocationId, ClientStatus, Desired, Evaluation, EvaluationStatus, JobKey, JobType, Node, NodeId,
    NodeStatus, Timestamp, Unplaced,
};

use crate::state::State;

/// What is said of everything on a node that is down.
const OUT_OF_CONTACT: &str = "the node is out of contact";

/// What the drains need next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// Allocations that may be replaced now.
    pub moves: Vec<AllocationId>,
    /// Allocations that must end now: the deadline has passed, no other node takes them, or only system jobs are left.
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
    let draining = state.nodes().filter(|node| node.drain.is_some());
    let (over, others): (Vec<_>, Vec<_>) = draining.partition(|node| is_over(node, now));
    // What ends because its time is over is missing to its group as well, so nothing that still has time ends beside it.
    for node in over.into_iter().chain(others) {
        next_of_node(state, node, now, &mut budgets, &mut step);
    }
    step
}

/// Whether the deadline of the node's drain has passed.
fn is_over(node: &Node, now: Timestamp) -> bool {
    node.drain.as_ref().is_some_and(|drain| drain.ends_at().is_some_and(|end| end <= now))
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
    let is_over = is_over(node, now);
    if is_over {
        for allocation in others.iter().filter(runs) {
            budgets.gaps.take(state, allocation, missing);
            step.stops.push(allocation.id);
        }
    } else {
        step.wake_at = step.wake_at.into_iter().chain(drain.ends_at()).min();
        // A batch job's instance is left to finish.
        let movable = others.iter().filter(runs).filter(|allocation| kind(state, allocation) == JobType::Service);
        for allocation in movable {
            if !allocation.migrate {
                if budgets.moves.take(state, allocation, moving) {
                    step.moves.push(allocation.id);
                }
            } else if unplaced(state, allocation).is_some() && budgets.gaps.take(state, allocation, missing) {
                step.stops.push(allocation.id);
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

/// What each group may still have in motion, and how many of its instances may still be missing.
#[derive(Default)]
pub(crate) struct Budgets {
    moves: Budget,
    gaps: Budget,
}

impl Budgets {
    /// Whether one more may begin to move, or end (`stop`), by an entry of that time. After the deadline, and of system
    /// jobs, everything may end.
    pub(crate) fn allow(&mut self, state: &State, allocation: &Allocation, stop: bool, at: Timestamp) -> bool {
        if !stop {
            return self.moves.take(state, allocation, moving);
        }
        let drain = state.node(allocation.node).and_then(|node| node.drain.as_ref());
        let is_over = drain.is_none_or(|drain| drain.ends_at().is_some_and(|end| end <= at));
        match kind(state, allocation) {
            JobType::System | JobType::SysBatch => true,
            JobType::Service => is_over || self.gaps.take(state, allocation, missing),
            JobType::Batch => is_over,
        }
    }
}

/// How many more instances of each group.
#[derive(Default)]
struct Budget {
    left: BTreeMap<(JobKey, String), u32>,
}

impl Budget {
    /// Whether one more may, where `used` of the group's `max_parallel` are taken.
    fn take(&mut self, state: &State, allocation: &Allocation, used: fn(&State, &Allocation) -> usize) -> bool {
        let key = (allocation.job.clone(), allocation.group.clone());
        let left = self.left.entry(key).or_insert_with(|| {
            let used = u32::try_from(used(state, allocation)).unwrap_or(u32::MAX);
            max_parallel(state, allocation).saturating_sub(used)
        });
        let may = *left > 0 || is_on(OldBug::DrainsAtOnce);
        *left = left.saturating_sub(1);
        may
    }
}

/// How many of the allocation's group may move at a time.
pub(crate) fn max_parallel(state: &State, allocation: &Allocation) -> u32 {
    let migrate = state
        .job_version(&allocation.job, allocation.job_version)
        .and_then(|version| version.job.group(&allocation.group).and_then(|group| group.migrate.clone()));
    migrate.unwrap_or_default().max_parallel.max(1)
}

/// Whether it moves. One does until it is observed gone; of what is out of contact nobody knows when that will be.
fn moves(allocation: &Allocation) -> bool {
    allocation.migrate && allocation.holds() && allocation.client_status != ClientStatus::Unknown
}

/// How many of the allocation's group move.
pub(crate) fn moving(state: &State, allocation: &Allocation) -> usize {
    of_group(state, allocation).filter(|known| moves(known)).count()
}

/// How many instances the allocation's group lacks.
pub(crate) fn missing(state: &State, allocation: &Allocation) -> usize {
    let record = state.job(&allocation.job);
    let wanted = record.and_then(|record| record.current().job.group(&allocation.group).map(|group| group.count));
    let stands =
        |known: &&Arc<Allocation>| !known.canary && known.is_live() && known.client_status != ClientStatus::Unknown;
    let standing: BTreeSet<u32> = of_group(state, allocation).filter(stands).map(|known| known.index).collect();
    (wanted.unwrap_or(0) as usize).saturating_sub(standing.len())
}

fn of_group<'a>(state: &'a State, allocation: &Allocation) -> impl Iterator<Item = &'a Arc<Allocation>> {
    let group = allocation.group.clone();
    state.allocations_of_job(&allocation.job).filter(move |known| known.group == group)
}

/// Why the planner found no other node for an allocation that may move; `None` while that is not known.
pub(crate) fn unplaced<'a>(state: &'a State, allocation: &Allocation) -> Option<&'a Unplaced> {
    let is_of_job = |evaluation: &&Arc<Evaluation>| evaluation.job == allocation.job;
    let is_replaced = allocation.ties().next.and_then(|next| state.allocation(next)).is_some_and(|next| next.is_live());
    if is_replaced || state.open_evaluations(EvaluationStatus::Pending).any(|known| is_of_job(&known)) {
        return None;
    }
    let mut blocked = state.open_evaluations(EvaluationStatus::Blocked).filter(is_of_job);
    blocked.find_map(|evaluation| evaluation.unplaced.get(&allocation.group))
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
    let replacement = allocation.ties().next.and_then(|next| state.allocation(next));
    let (stage, detail) = if !allocation.holds() {
        let successor = replacement.or_else(|| {
            // What stopped first has no replacement of its own: whoever bears its index now is it.
            of_group(state, allocation).find(|known| known.is_live() && known.index == allocation.index)
        });
        (Stage::Gone, successor.map_or_else(|| why_first(state, allocation, "stopped"), |known| words_of(known)))
    } else if ignores && kind(state, allocation).is_per_node() {
        (Stage::Ignored, "a system job's, which stays".into())
    } else if allocation.desired != Desired::Run {
        let first = if replacement.is_none() { why_first(state, allocation, "stops") } else { String::new() };
        let until = "waits until its containers are gone";
        (Stage::Stopping, if first.is_empty() { until.into() } else { format!("{first}; {until}") })
    } else if let Some(failed) = replacement.filter(|known| known.client_status == ClientStatus::Failed) {
        (Stage::Waiting, format!("{}; the next one waits", words_of(failed)))
    } else if let Some(replacement) = replacement {
        (Stage::Migrating, words_of(replacement))
    } else if allocation.migrate {
        (Stage::Waiting, why_unplaced(state, node, allocation))
    } else {
        match kind(state, allocation) {
            JobType::Service if moving(state, allocation) > 0 => {
                (Stage::Waiting, "others of its group move first (max_parallel)".into())
            }
            JobType::Service => (Stage::Waiting, "its move begins".into()),
            JobType::Batch | JobType::SysBatch => (Stage::Waiting, "runs to its end, or to the deadline".into()),
            JobType::System => (Stage::Waiting, "system jobs stop last".into()),
        }
    };
    // What was asked of it happens when it is back.
    let is_away = allocation.holds() && node.status == NodeStatus::Down;
    let detail = match (is_away, detail.is_empty()) {
        (false, _) => detail,
        (true, true) => OUT_OF_CONTACT.into(),
        (true, false) => format!("{OUT_OF_CONTACT}; {detail}"),
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

/// Why an allocation ended before it had a replacement; empty while that is not known, or if none is wanted.
fn why_first(state: &State, allocation: &Allocation, verb: &str) -> String {
    let is_wanted = allocation.migrate && kind(state, allocation) == JobType::Service;
    match unplaced(state, allocation).filter(|_| is_wanted) {
        Some(unplaced) => format!("{verb} first, because no other node takes it ({})", reasons(unplaced)),
        None => String::new(),
    }
}

/// Why an allocation that may move has no replacement yet.
fn why_unplaced(state: &State, node: &Node, allocation: &Allocation) -> String {
    let ends = node.drain.as_ref().is_some_and(|drain| drain.ends_at().is_some());
    let until = if ends { "it stops when one does, or at the deadline" } else { "it stays until one does" };
    match unplaced(state, allocation) {
        Some(unplaced) => {
            format!("no other node takes it ({}), and its group lacks an instance already: {until}", reasons(unplaced))
        }
        None => "its replacement is being placed".into(),
    }
}

/// The reasons of what found no room, in words.
pub(crate) fn reasons(unplaced: &Unplaced) -> String {
    unplaced.reasons.keys().cloned().collect::<Vec<_>>().join(", ")
}
