//! What stands in the way of a job that is placed all at once or not at all, and waits: looked at where as many of its
//! instances stand as find room, since the first one may well fit everywhere.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::{Eligibility, Job, Node, NodeId, NodeStatus};

use super::{Change, Hint, NodeLimit, blocked};
use crate::command::Command;
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
    let mut rehearsal = Rehearsal::of(state, state.time());
    let mut job = Job::clone(&record.current().job);
    let mut is_bent = false;
    for change in &hint.changes {
        match change {
            // It says for how many instances there must be room.
            Change::AddNode(_) => return true,
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
    rehearsal.decide();
    !rehearsal.is_cut_short && blocked(&rehearsal.state, &record.key).is_none()
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
