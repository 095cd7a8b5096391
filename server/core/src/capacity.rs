//! What room there is, and what would fit if something were different: nodes added or taken away, more to place.
//!
//! [`overview()`] adds up what stands in the state. [`foresee`] changes a copy of the state and lets the real scheduler
//! decide on it, blocked work and displaced work included; so what it answers is what would happen, once everything that
//! was told to stop is gone. Nothing is written. Called by the shell for `sched capacity`.

mod change;
mod overview;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::{Allocation, EvaluationStatus, Index, Job, JobKey, NodeId, Timestamp, Unplaced};
use thiserror::Error;

use crate::apply::Answer;
use crate::command::Command;
use crate::dry_run::{Preempted, preempted};
use crate::limits::{CAPACITY_AMOUNT_MAX, CAPACITY_INSTANCES_MAX, CAPACITY_NODES_ADDED_MAX};
use crate::rehearsal::Rehearsal;
use crate::state::State;

pub use change::{Ask, NewNodes};
pub use overview::{Largest, Share, overview};

/// What is different, and what shall be placed then.
#[derive(Clone, Debug, Default)]
pub struct WhatIf {
    /// Instances that ask no more than amounts. They come after everything else, and take nobody's room.
    pub ask: Option<Ask>,
    /// A job as it stands, complete and valid; as a run of it would be decided.
    pub job: Option<Arc<Job>>,
    /// Nodes that there would be more.
    pub added: Vec<NewNodes>,
    /// Nodes that would be gone, with what runs there.
    pub removed: BTreeSet<NodeId>,
}

/// What would come of it.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Foreseen {
    /// Index of the state that it was asked of.
    pub index: Index,
    /// Names of the nodes that were added.
    pub added: Vec<String>,
    /// What had to move or found a place, per group.
    pub moved: Vec<Moved>,
    /// What became of the job.
    pub job: Vec<Placed>,
    /// Instances of other jobs that would end for it.
    pub preempted: Vec<Preempted>,
    /// What became of the ask.
    pub ask: Option<Placed>,
    /// How many instances of the ask there is room for.
    pub room: Option<Room>,
    /// Whether something was left undecided, because it took too many plans.
    pub is_cut_short: bool,
}

/// Instances of a group that the change of nodes concerns.
#[derive(Clone, Debug, PartialEq)]
pub struct Moved {
    /// The job.
    pub job: JobKey,
    /// The group.
    pub group: String,
    /// Instances that ran on nodes that are gone.
    pub displaced: u32,
    /// Instances that waited for room before.
    pub unplaced_before: u32,
    /// Instances that wait then.
    pub unplaced: u32,
    /// Why; none if none waits.
    pub why: Option<Unplaced>,
}

/// What became of one group's instances.
#[derive(Clone, Debug, PartialEq)]
pub struct Placed {
    /// The group.
    pub group: String,
    /// Instances wanted.
    pub wanted: u32,
    /// Instances that have a node.
    pub placed: u32,
    /// The nodes' names, each with how many.
    pub nodes: BTreeMap<String, u32>,
    /// Why the others have none; none if all have.
    pub unplaced: Option<Unplaced>,
}

/// For how many there is room.
#[derive(Clone, Debug, PartialEq)]
pub struct Room {
    /// Instances that fit, at most [`CAPACITY_INSTANCES_MAX`].
    pub instances: u32,
    /// Whether more may fit than that.
    pub is_limit: bool,
    /// Where they would go: the nodes' names, each with how many.
    pub nodes: BTreeMap<String, u32>,
    /// What one more would lack; none at the limit.
    pub unplaced: Option<Unplaced>,
}

impl Room {
    /// What ends first: of the reasons of nodes that are merely full the commonest; none where no node is.
    pub fn ends_first(&self) -> Option<&str> {
        let full = self.unplaced.as_ref().filter(|unplaced| unplaced.nodes_exhausted > 0)?;
        let reasons = full.reasons.iter().filter(|(_, count)| !count.filter);
        reasons.max_by_key(|(_, count)| count.nodes).map(|(reason, _)| reason.as_str())
    }
}

/// Why nothing was foreseen.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CannotForesee {
    /// More nodes than are foreseen.
    #[error("{nodes} nodes would be added, {CAPACITY_NODES_ADDED_MAX} are allowed")]
    TooManyNodes {
        /// How many.
        nodes: u64,
    },
    /// More instances than are foreseen.
    #[error("{instances} instances are asked for, {CAPACITY_INSTANCES_MAX} are allowed")]
    TooManyInstances {
        /// How many.
        instances: u32,
    },
    /// An amount beyond all that exists.
    #[error("{amount} is too much of {what}, {CAPACITY_AMOUNT_MAX} is the most")]
    TooMuch {
        /// Of what: `cpu`, `memory`, `memory_max` or `disk`.
        what: &'static str,
        /// How much, in MHz or MiB.
        amount: u64,
    },
    /// There is no such node.
    #[error("node not found: {0}")]
    NoSuchNode(NodeId),
    /// The job would be refused.
    #[error("{0}")]
    Refused(String),
}

/// Foresees what would come of `what_if`.
pub fn foresee(state: &State, what_if: &WhatIf, now: Timestamp) -> Result<Foreseen, CannotForesee> {
    check(state, what_if)?;
    let mut foreseen = Foreseen { index: state.index(), ..Foreseen::default() };
    let mut rehearsal = Rehearsal::of(state, now);
    for nodes in &what_if.added {
        for node in change::nodes(&rehearsal.state, nodes) {
            foreseen.added.push(node.name.clone());
            rehearsal.command(Command::RegisterNode { node: Arc::new(node), session: None });
        }
    }
    for node in &what_if.removed {
        rehearsal.command(Command::PurgeNode { node: *node });
    }
    rehearsal.settle();
    foreseen.moved = moved(state, &rehearsal.state, &what_if.removed);
    if let Some(job) = &what_if.job {
        let first_index = rehearsal.state.index() + 1;
        register(&mut rehearsal, job)?;
        rehearsal.settle();
        foreseen.job = job.groups.iter().map(|group| placed(&rehearsal.state, job, &group.name)).collect();
        foreseen.preempted = preempted(&rehearsal.state, first_index);
    }
    if let Some(ask) = &what_if.ask {
        let asked = ask.count.unwrap_or(CAPACITY_INSTANCES_MAX);
        let mut job = change::job(&rehearsal.state, ask, asked);
        register(&mut rehearsal, &Arc::new(job.clone()))?;
        rehearsal.settle();
        let found = placed(&rehearsal.state, &job, &job.id);
        if found.unplaced.is_none() && asked < CAPACITY_INSTANCES_MAX {
            job.groups[0].count = CAPACITY_INSTANCES_MAX;
            register(&mut rehearsal, &Arc::new(job.clone()))?;
            rehearsal.settle();
        }
        let all = placed(&rehearsal.state, &job, &job.id);
        let is_limit = all.placed >= CAPACITY_INSTANCES_MAX;
        foreseen.room = Some(Room { instances: all.placed, is_limit, nodes: all.nodes, unplaced: all.unplaced });
        foreseen.ask = ask.count.is_some().then_some(found);
    }
    foreseen.is_cut_short = rehearsal.is_cut_short;
    Ok(foreseen)
}

fn check(state: &State, what_if: &WhatIf) -> Result<(), CannotForesee> {
    let nodes = what_if.added.iter().map(|nodes| u64::from(nodes.count)).sum();
    if nodes > CAPACITY_NODES_ADDED_MAX {
        return Err(CannotForesee::TooManyNodes { nodes });
    }
    let instances = what_if.ask.as_ref().and_then(|ask| ask.count).unwrap_or_default();
    if instances > CAPACITY_INSTANCES_MAX {
        return Err(CannotForesee::TooManyInstances { instances });
    }
    let of_ask = what_if.ask.iter().map(|ask| [ask.cpu_mhz, ask.memory_mb, ask.memory_max_mb, ask.disk_mb]);
    let of_nodes = what_if
        .added
        .iter()
        .map(|nodes| [nodes.cpu_mhz, nodes.memory_mb, None, nodes.disk_mb].map(Option::unwrap_or_default));
    for amounts in of_ask.chain(of_nodes) {
        let named = ["cpu", "memory", "memory_max", "disk"].into_iter().zip(amounts);
        if let Some((what, amount)) = { named }.find(|(_, amount)| *amount > CAPACITY_AMOUNT_MAX) {
            return Err(CannotForesee::TooMuch { what, amount });
        }
    }
    let named = what_if.removed.iter().chain(what_if.added.iter().filter_map(|nodes| nodes.like.as_ref()));
    match named.copied().find(|id| state.node(*id).is_none()) {
        Some(unknown) => Err(CannotForesee::NoSuchNode(unknown)),
        None => Ok(()),
    }
}

fn register(rehearsal: &mut Rehearsal, job: &Arc<Job>) -> Result<(), CannotForesee> {
    match rehearsal.command(Command::RegisterJob { job: job.clone(), check_index: None, submission: None }) {
        Answer::Accepted(_) => Ok(()),
        Answer::Rejected(rejection) => Err(CannotForesee::Refused(rejection.to_string())),
    }
}

/// What became of a group's instances.
fn placed(state: &State, job: &Job, group: &str) -> Placed {
    let is_live = |known: &&Arc<Allocation>| known.group == group && known.is_live();
    let mut nodes: BTreeMap<String, u32> = BTreeMap::new();
    for known in state.allocations_of_job(&job.key()).filter(is_live) {
        *nodes.entry(known.node_name.to_string()).or_default() += 1;
    }
    let placed = nodes.values().sum();
    let unplaced = waiting(state, &job.key()).remove(group);
    let count = job.group(group).map_or(0, |group| group.count);
    let missing = unplaced.as_ref().map_or(0, |unplaced| unplaced.count);
    // A system job has no count of its own: it wants what it has and what it lacks.
    let wanted = if job.kind.is_per_node() { placed + missing } else { count };
    Placed { group: group.into(), wanted, placed, nodes, unplaced }
}

/// The groups of a job that wait for room.
fn waiting(state: &State, job: &JobKey) -> BTreeMap<String, Unplaced> {
    let blocked = state.evaluations_of_job(job).find(|known| known.status == EvaluationStatus::Blocked);
    blocked.map(|known| known.unplaced.clone()).unwrap_or_default()
}

/// The groups that ran on nodes that are gone, or wait for another number of places than before.
fn moved(before: &State, after: &State, removed: &BTreeSet<NodeId>) -> Vec<Moved> {
    let mut displaced: BTreeMap<(JobKey, String), u32> = BTreeMap::new();
    for known in removed.iter().flat_map(|node| before.allocations_of_node(*node)).filter(|known| known.is_live()) {
        *displaced.entry((known.job.clone(), known.group.clone())).or_default() += 1;
    }
    let blocked = |state: &State| -> BTreeMap<(JobKey, String), Unplaced> {
        let open = state.open_evaluations(EvaluationStatus::Blocked);
        let of = |known: &Arc<model::Evaluation>| {
            let job = known.job.clone();
            known.unplaced.clone().into_iter().map(move |(group, why)| ((job.clone(), group), why))
        };
        open.flat_map(of).collect()
    };
    let (waited, mut waits) = (blocked(before), blocked(after));
    let changed = waited.keys().chain(waits.keys()).filter(|key| {
        waited.get(*key).map_or(0, |known| known.count) != waits.get(*key).map_or(0, |known| known.count)
    });
    let mut keys: Vec<_> = displaced.keys().chain(changed).cloned().collect();
    keys.sort();
    keys.dedup();
    let of = |key: (JobKey, String)| {
        let why = waits.remove(&key);
        Moved {
            displaced: displaced.get(&key).copied().unwrap_or_default(),
            unplaced_before: waited.get(&key).map_or(0, |known| known.count),
            unplaced: why.as_ref().map_or(0, |known| known.count),
            why,
            job: key.0,
            group: key.1,
        }
    };
    keys.into_iter().map(of).collect()
}

#[cfg(test)]
mod tests {
    use model::ReasonCount;

    use super::*;

    #[test]
    fn nothing_ends_first_where_no_node_is_merely_full() {
        let ends_first = |nodes_exhausted| {
            let reasons = BTreeMap::from([("memory".to_string(), ReasonCount { nodes: 1, filter: false })]);
            let unplaced = Unplaced { nodes_total: 1, nodes_exhausted, reasons, ..Unplaced::default() };
            let room = Room { instances: 0, is_limit: false, nodes: BTreeMap::new(), unplaced: Some(unplaced) };
            room.ends_first().map(str::to_string)
        };
        assert_eq!(ends_first(0), None);
        assert_eq!(ends_first(1), Some("memory".into()));
    }
}
