//! Hints that are carried out on a copy of the state, to see what comes of them.
//!
//! What stands in the way of a job that is placed all at once or not at all, and waits, is looked at where as many of its
//! instances stand as find room, since the first one may well fit everywhere. And of what others wait for too, whoever is
//! ahead has the first use.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::{Eligibility, Evaluation, EvaluationStatus, Job, JobKey, Node, NodeId, NodeStatus};

use super::{Change, Hint, NodeLimit, blocked};
use crate::command::Command;
use crate::limits::{HINTED_PLANS_MAX, REHEARSED_PLANS_MAX};
use crate::rehearsal::Rehearsal;
use crate::state::{JobRecord, State};

/// A state in which what finds room of such a job is placed; none of any other job, and while it does not wait.
pub(super) fn of(state: &State, record: &JobRecord) -> Option<State> {
    let job = &record.current().job;
    blocked(state, &record.key).filter(|_| job.all_at_once && !job.kind.is_per_node())?;
    let mut rehearsal = Rehearsal::of(state, state.time());
    register(&mut rehearsal, Job { all_at_once: false, ..Job::clone(job) });
    rehearsal.decide();
    Some(rehearsal.state)
}

/// Whether `hint`, which is about `group`, lets all of the job in.
pub(super) fn lets_all_in(state: &State, record: &JobRecord, group: &str, hint: &Hint) -> bool {
    // It says for how many instances there must be room.
    carried_out(state, record, group, hint, REHEARSED_PLANS_MAX)
        .is_none_or(|then| !then.is_cut_short && blocked(&then.state, &record.key).is_none())
}

/// The job that waits ahead of `record`'s and has the first use of what `hint` changes in the cluster, if nothing of it is
/// left for `group`.
pub(super) fn comes_first(state: &State, record: &JobRecord, group: &str, hint: &Hint) -> Option<JobKey> {
    if !hint.changes.iter().all(Change::is_of_cluster) {
        return None;
    }
    let own = blocked(state, &record.key)?;
    let mut ahead = state.open_evaluations(EvaluationStatus::Blocked).take_while(|known| known.id != own.id).peekable();
    ahead.peek()?;
    let Some(then) = carried_out(state, record, group, hint, HINTED_PLANS_MAX) else {
        // Whether it meets what they want of it nobody knows; that it is large enough does.
        let node = hint.changes.iter().find_map(|change| match change {
            Change::AddNode(node) => Some(node.amounts()),
            _ => None,
        })?;
        let has_room = |known: &&Arc<Evaluation>| known.unplaced.values().any(|other| other.ask.is_within(node));
        return ahead.find(has_room).map(|known| known.job.clone());
    };
    let live = |state: &State, job: &JobKey, is_meant: &dyn Fn(&str) -> bool| {
        state.allocations_of_job(job).filter(|known| known.is_live() && is_meant(&known.group)).count()
    };
    let gains =
        |job: &JobKey, is_meant: &dyn Fn(&str) -> bool| live(&then.state, job, is_meant) > live(state, job, is_meant);
    if gains(&record.key, &|other| other == group) {
        return None;
    }
    ahead.map(|known| &known.job).find(|job| gains(job, &|_| true)).cloned()
}

/// What comes of `hint`, which is about `group`, with so many plans at most; none where it adds a node, of which nobody
/// knows everything.
fn carried_out(state: &State, record: &JobRecord, group: &str, hint: &Hint, plans: usize) -> Option<Rehearsal> {
    let mut rehearsal = Rehearsal::of(state, state.time());
    let mut job = Job::clone(&record.current().job);
    let mut is_bent = false;
    for change in &hint.changes {
        match change {
            Change::AddNode(_) => return None,
            Change::StopJob(other) => rehearsal.stop_at_once(other),
            Change::OpenNode { node, .. } => open(&mut rehearsal, *node),
            Change::HealDrivers { node, drivers, .. } => configure(&mut rehearsal, *node, |node| {
                let healed = node.drivers.iter_mut().filter(|(name, _)| drivers.contains(name));
                healed.for_each(|(_, driver)| driver.healthy = true);
            }),
            // As far as that helps.
            Change::RaiseLimits { node, limits, .. } => configure(&mut rehearsal, *node, |node| {
                limits.iter().for_each(|limit| match limit {
                    NodeLimit::Allocations => node.max_allocations = None,
                    NodeLimit::DynamicPorts => node.dynamic_ports.1 = u16::MAX,
                });
            }),
            of_document => is_bent |= of_document.bend(&mut job, group),
        }
    }
    if is_bent {
        register(&mut rehearsal, job);
    }
    rehearsal.decide_at_most(plans);
    Some(rehearsal)
}

fn register(rehearsal: &mut Rehearsal, job: Job) {
    rehearsal.command(Command::RegisterJob { job: Arc::new(job), check_index: None, submission: None });
}

/// The node takes new work again, whatever closed it.
fn open(rehearsal: &mut Rehearsal, node: NodeId) {
    configure(rehearsal, node, |_| {});
    rehearsal.command(Command::DrainNode { node, drain: None, mark_eligible: true, meta: BTreeMap::new() });
    rehearsal.command(Command::SetNodeEligibility { node, eligibility: Eligibility::Eligible });
    let (changes, term) = (vec![(node, NodeStatus::Ready)], rehearsal.state.term());
    rehearsal.command(Command::SetNodeStatus { changes, seen: None, term });
}

/// Its agent comes back with this configuration.
fn configure(rehearsal: &mut Rehearsal, node: NodeId, bend: impl FnOnce(&mut Node)) {
    if let Some(known) = rehearsal.state.node(node) {
        let mut node = Node::clone(known);
        bend(&mut node);
        rehearsal.command(Command::RegisterNode { node: Arc::new(node), session: None });
    }
}
