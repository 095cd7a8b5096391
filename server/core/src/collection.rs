//! Collection: what is over and old enough to be forgotten.

use std::collections::BTreeSet;
use std::time::Duration;

use model::{Allocation, Evaluation, NodeStatus, Timestamp};

use crate::command::Command;
use crate::limits::{BATCH_EVALUATION_KEPT, COLLECT_BATCH_MAX, DEPLOYMENT_KEPT, EVALUATION_KEPT, JOB_KEPT, NODE_KEPT};
use crate::state::{JobStatus, State};

/// The next batch of what can be forgotten; none if there is nothing. With `at_once`, age does not matter.
pub fn next(state: &State, now: Timestamp, at_once: bool) -> Option<Command> {
    let is_old = |since: Timestamp, kept: Duration| at_once || now.since(since) >= kept;

    let dead_jobs: Vec<_> = state
        .jobs()
        .filter(|record| state.job_status(&record.key) == JobStatus::Dead)
        .filter(|record| is_old(last_touched(state, record), JOB_KEPT))
        .map(|record| record.key.clone())
        .take(COLLECT_BATCH_MAX)
        .collect();
    let gone_jobs: BTreeSet<_> = dead_jobs.iter().cloned().collect();
    let is_needed = |evaluation: &Evaluation| {
        // A batch job's finished instances say that it has run: they stay while the job does.
        evaluation.kind.runs_to_completion()
            && state.job(&evaluation.job).is_some_and(|record| !record.stop)
            && !gone_jobs.contains(&evaluation.job)
    };
    let evaluations: Vec<_> = state
        .evaluations()
        .filter(|evaluation| evaluation.status.is_terminal() && !is_needed(evaluation))
        .filter(|evaluation| {
            let kept = if evaluation.kind.runs_to_completion() { BATCH_EVALUATION_KEPT } else { EVALUATION_KEPT };
            is_old(evaluation.modified_at, kept)
        })
        .filter(|evaluation| {
            let of_it = state.allocations_of_job(&evaluation.job).filter(|known| known.evaluation == evaluation.id);
            of_it.into_iter().all(|allocation| is_forgettable(state, allocation))
        })
        .map(|evaluation| evaluation.id)
        .take(COLLECT_BATCH_MAX)
        .collect();
    let gone: BTreeSet<_> = evaluations.iter().copied().collect();
    let allocations: Vec<_> = state
        .allocations()
        .filter(|allocation| !allocation.holds())
        .filter(|allocation| gone.contains(&allocation.evaluation) || state.evaluation(allocation.evaluation).is_none())
        .filter(|allocation| is_forgettable(state, allocation) && is_old(allocation.modified_at, EVALUATION_KEPT))
        .map(|allocation| allocation.id)
        .take(COLLECT_BATCH_MAX)
        .collect();
    let deployments: Vec<_> = state
        .deployments()
        .filter(|known| !known.status.is_active() && is_old(known.modified_at, DEPLOYMENT_KEPT))
        .map(|known| known.id)
        .take(COLLECT_BATCH_MAX)
        .collect();
    let nodes: Vec<_> = state
        .nodes()
        .filter(|node| node.status == NodeStatus::Down && is_old(node.status_at, NODE_KEPT))
        .filter(|node| state.allocations_of_node(node.id).all(|allocation| !allocation.holds()))
        .map(|node| node.id)
        .take(COLLECT_BATCH_MAX)
        .collect();

    let is_empty = evaluations.is_empty()
        && allocations.is_empty()
        && deployments.is_empty()
        && dead_jobs.is_empty()
        && nodes.is_empty();
    (!is_empty).then_some(Command::Collect { evaluations, allocations, deployments, jobs: dead_jobs, nodes })
}

/// Whether nothing depends on an allocation any more: it is over, and nobody is going to place it anew.
fn is_forgettable(state: &State, allocation: &Allocation) -> bool {
    let waits = allocation.follow_up.and_then(|id| state.evaluation(id)).is_some_and(|next| !next.status.is_terminal());
    !allocation.holds() && !waits
}

fn last_touched(state: &State, record: &crate::state::JobRecord) -> Timestamp {
    let submitted = record.current().submitted_at;
    let ended = state.allocations_of_job(&record.key).map(|allocation| allocation.modified_at).max();
    ended.map_or(submitted, |ended| ended.max(submitted))
}
