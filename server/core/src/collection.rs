//! Collection: what is over and old enough to be forgotten.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use model::{
    Allocation, AllocationId, Deployment, Desired, Evaluation, Group, JobType, NodeId, NodeStatus, StopReason, Term,
    Timestamp,
};

use crate::command::Command;
use crate::limits::{BATCH_EVALUATION_KEPT, COLLECT_BATCH_MAX, DEPLOYMENT_KEPT, EVALUATION_KEPT, JOB_KEPT, NODE_KEPT};
use crate::schedule::{ended_on_purpose, shall_come_back};
use crate::state::{JobRecord, JobStatus, State};

/// The next batch of what can be forgotten, found by the leader of `term`; none if there is nothing.
pub fn next(state: &State, now: Timestamp, term: Term) -> Option<Command> {
    batch(state, now, Some(term))
}

/// The same as a person asks for it: whatever its age.
pub fn next_at_once(state: &State, now: Timestamp) -> Option<Command> {
    batch(state, now, None)
}

fn batch(state: &State, now: Timestamp, term: Option<Term>) -> Option<Command> {
    let at_once = term.is_none();
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
        // A batch job's finished instances say that it has run: they stay while the job does. An evaluation may have begun
        // before the job was one.
        let is_batch = |record: &Arc<JobRecord>| record.current().job.kind.runs_to_completion();
        (evaluation.kind.runs_to_completion() || state.job(&evaluation.job).is_some_and(is_batch))
            && state.job(&evaluation.job).is_some_and(|record| !record.stop)
            && !gone_jobs.contains(&evaluation.job)
    };
    let mut standing = failures_that_stand(state);
    standing.extend(what_rollouts_count(state));
    let evaluations: Vec<_> = state
        .evaluations()
        .filter(|evaluation| evaluation.status.is_terminal() && !is_needed(evaluation))
        .filter(|evaluation| {
            let kept = if evaluation.kind.runs_to_completion() { BATCH_EVALUATION_KEPT } else { EVALUATION_KEPT };
            is_old(evaluation.modified_at, kept)
        })
        .filter(|evaluation| {
            let of_it = state.allocations_of_job(&evaluation.job).filter(|known| known.evaluation == evaluation.id);
            of_it.into_iter().all(|allocation| is_forgettable(state, &standing, allocation))
        })
        .map(|evaluation| evaluation.id)
        .take(COLLECT_BATCH_MAX)
        .collect();
    let gone: BTreeSet<_> = evaluations.iter().copied().collect();
    let over = state.allocations_as_placed().filter(|allocation| !allocation.holds());
    let allocations = with_what_came_before(state, over, |allocation| {
        let is_asked_for = !gone.contains(&allocation.evaluation) && state.evaluation(allocation.evaluation).is_some();
        !is_asked_for && is_forgettable(state, &standing, allocation) && is_old(allocation.modified_at, EVALUATION_KEPT)
    });
    let deployments: Vec<_> = state
        .deployments()
        .filter(|known| !known.status.is_active() && !is_verdict(state, known))
        .filter(|known| is_old(known.modified_at, DEPLOYMENT_KEPT))
        .map(|known| known.id)
        .take(COLLECT_BATCH_MAX)
        .collect();
    let nodes: Vec<_> = state
        .nodes()
        .filter(|node| node.status == NodeStatus::Down && is_old(node.status_at, NODE_KEPT))
        .filter(|node| state.allocations_of_node(node.id).all(|allocation| !allocation.holds()))
        .filter(|node| !state.has_volumes(node.id))
        .map(|node| node.id)
        .take(COLLECT_BATCH_MAX)
        .collect();

    let is_empty = evaluations.is_empty()
        && allocations.is_empty()
        && deployments.is_empty()
        && dead_jobs.is_empty()
        && nodes.is_empty();
    (!is_empty).then_some(Command::Collect { evaluations, allocations, deployments, jobs: dead_jobs, nodes, term })
}

/// Those of `over`, which are in order of their placement, that can be forgotten, as many as fit into one batch. None before
/// what was in its place earlier and still says that it shall run: that one would speak for the place again.
fn with_what_came_before<'a>(
    state: &State,
    over: impl Iterator<Item = &'a Arc<Allocation>>,
    can_be_forgotten: impl Fn(&Allocation) -> bool,
) -> Vec<AllocationId> {
    let (mut forgotten, mut spoken_for) = (Vec::new(), BTreeSet::new());
    for allocation in over {
        let place = (&allocation.job, &allocation.group, allocation.index, only_node(state, allocation));
        let has_room = forgotten.len() < COLLECT_BATCH_MAX;
        if has_room && !spoken_for.contains(&place) && can_be_forgotten(allocation) {
            forgotten.push(allocation.id);
        } else if allocation.desired == Desired::Run {
            spoken_for.insert(place);
        }
    }
    forgotten
}

/// Whether nothing depends on an allocation any more: it is over, and neither holds its place in its group nor is going
/// to be placed anew.
fn is_forgettable(state: &State, standing: &BTreeSet<AllocationId>, allocation: &Allocation) -> bool {
    let waits =
        allocation.ties().follow_up.and_then(|id| state.evaluation(id)).is_some_and(|next| !next.status.is_terminal());
    !allocation.holds() && !waits && !standing.contains(&allocation.id)
}

/// The instances of jobs that live which failed, or ended though they shall run, and which nothing has replaced:
/// forgotten, they would be missed, and placed again against the policy of their group.
fn failures_that_stand(state: &State) -> BTreeSet<AllocationId> {
    let mut newest: BTreeMap<_, &Allocation> = BTreeMap::new();
    for allocation in state.allocations().filter(|known| known.client_status.is_terminal()) {
        // One of a system job stands for its node, one of another job for its name index.
        let place = (&allocation.job, &allocation.group, allocation.index, only_node(state, allocation));
        let known = newest.entry(place).or_insert(allocation);
        if (known.create_index, known.id) < (allocation.create_index, allocation.id) {
            *known = allocation;
        }
    }
    let stands = |known: &&Allocation| {
        let shall_run = |record: &JobRecord| !record.stop && shall_come_back(known, record.current().job.kind);
        state.job(&known.job).is_some_and(|record| shall_run(record)) && known.ties().next.is_none()
    };
    newest.into_values().filter(stands).map(|known| known.id).collect()
}

/// What is over and is the newest that is known of its place, where rollouts ask for that: how many are under way, and in which
/// version what is missing comes back. Forgotten, it would move a rollout on that nobody has looked at since.
fn what_rollouts_count(state: &State) -> BTreeSet<AllocationId> {
    let mut newest: BTreeMap<_, &Allocation> = BTreeMap::new();
    let mut last_tries = BTreeSet::new();
    for allocation in state.allocations().filter(|known| has_place(state, known)) {
        let previous = allocation.ties().previous.and_then(|id| state.allocation(id));
        if previous.is_some_and(|original| original.is_live() && original.ties().next == Some(allocation.id)) {
            last_tries.insert(allocation.id);
        }
        let is_missed = !ended_on_purpose(allocation);
        let is_wanted = allocation.desired == Desired::Run;
        let place = (&allocation.job, &allocation.group, allocation.index, only_node(state, allocation));
        for (of_kind, counts) in [is_wanted, is_missed].into_iter().enumerate() {
            if !counts {
                continue;
            }
            let known = newest.entry((place, of_kind, allocation.canary)).or_insert(allocation);
            if (known.create_index, known.id) < (allocation.create_index, allocation.id) {
                *known = allocation;
            }
        }
    }
    let over = newest.into_values().map(|known| known.id).chain(last_tries);
    let is_gone = |id: &AllocationId| state.allocation(*id).is_some_and(|known| !known.holds());
    let mut kept: BTreeSet<_> = over.chain(what_ran_before(state)).filter(is_gone).collect();
    // What came after one of these in its place speaks for it, and hides it.
    let place = |known: &Allocation| {
        (known.job.clone(), known.group.clone(), known.index, only_node(state, known), known.canary)
    };
    let places: BTreeSet<_> = kept.iter().filter_map(|id| state.allocation(*id)).map(|known| place(known)).collect();
    let mut last: BTreeMap<_, &Allocation> = BTreeMap::new();
    let is_over = |known: &&Arc<Allocation>| {
        known.client_status.is_terminal() && known.desired != Desired::Stop(StopReason::Reconnected)
    };
    for allocation in state.allocations().filter(is_over).filter(|_| !places.is_empty()) {
        let known = last.entry(place(allocation)).or_insert(allocation);
        if (known.create_index, known.id) < (allocation.create_index, allocation.id) {
            *known = allocation;
        }
    }
    kept.extend(last.into_iter().filter(|(place, _)| places.contains(place)).map(|(_, known)| known.id));
    kept
}

/// For each group of a job with one instance on each node, the newest that ran the newest version before the current one:
/// while that is unproven, a node without an instance takes the other.
fn what_ran_before(state: &State) -> Vec<AllocationId> {
    let mut newest: BTreeMap<_, &Allocation> = BTreeMap::new();
    let ran_before = |known: &&Arc<Allocation>| {
        let is_before = |(record, _): &(&Arc<JobRecord>, _)| {
            let (current, was) = (record.current(), known.job_version);
            current.job.kind.is_per_node() && was < current.version && record.version(was).is_some()
        };
        !known.canary && rolling(state, known).is_some_and(|it| is_before(&it))
    };
    for allocation in state.allocations().filter(ran_before) {
        let rank = |known: &Allocation| (known.job_version, known.create_index, known.id);
        let known = newest.entry((&allocation.job, &allocation.group)).or_insert(allocation);
        if rank(known) < rank(allocation) {
            *known = allocation;
        }
    }
    newest.into_values().map(|known| known.id).collect()
}

/// Whether there shall be an instance in the place of `allocation`, by a group whose versions roll out step by step.
fn has_place(state: &State, allocation: &Allocation) -> bool {
    rolling(state, allocation).is_some_and(|(record, group)| match record.current().job.kind.is_per_node() {
        true => state.node(allocation.node).is_some(),
        false => allocation.index < group.count,
    })
}

/// The job and the group of `allocation`, if its versions roll out step by step.
fn rolling<'a>(state: &'a State, allocation: &Allocation) -> Option<(&'a Arc<JobRecord>, &'a Group)> {
    let record = state.job(&allocation.job).filter(|record| !record.stop)?;
    let job = &record.current().job;
    let rolls = matches!(job.kind, JobType::Service | JobType::System);
    let group = job.group(&allocation.group).filter(|group| rolls && group.update.is_some())?;
    Some((record, group))
}

/// The node that an instance stands for, where its job has one on each.
fn only_node(state: &State, allocation: &Allocation) -> Option<NodeId> {
    let kind = state.job(&allocation.job).map(|record| record.current().job.kind);
    kind.is_some_and(JobType::is_per_node).then_some(allocation.node)
}

/// Whether the scheduler still asks how the rollout of a job's current version ended: if it failed, it stays so.
fn is_verdict(state: &State, deployment: &Deployment) -> bool {
    let is_latest = state.latest_deployment(&deployment.job).is_some_and(|latest| latest.id == deployment.id);
    let asks = |record: &Arc<JobRecord>| !record.stop && record.is_rolled_out_by(deployment);
    is_latest && state.job(&deployment.job).is_some_and(asks)
}

fn last_touched(state: &State, record: &crate::state::JobRecord) -> Timestamp {
    // Its allocations may be forgotten before it, so that they alone do not say when it ended.
    let said = record.stopped_at.map_or(record.current().submitted_at, |at| at.max(record.current().submitted_at));
    let ended = state.allocations_of_job(&record.key).map(|allocation| allocation.modified_at).max();
    ended.map_or(said, |ended| ended.max(said))
}

#[cfg(test)]
mod tests;
