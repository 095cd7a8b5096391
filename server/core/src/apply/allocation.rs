//! Allocations: what agents observed of them, and what people and drains want of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::old_bugs::{OldBug, is_on};
use model::{
    Allocation, AllocationId, ClientStatus, Desired, Index, JobKey, JobType, NodeId, NodeStatus, Observation,
    StopReason, TaskStates, Trigger,
};

use super::{Accepted, AtWork, Rejection, Wish, deployment, guard, job};
use crate::drain::Budgets;
use crate::limits::CHECK_OUTPUT_BYTES_MAX;
use crate::reconnect;
use crate::rows::Place;
use crate::state::{Change, State};

/// Takes over what agents observed. Of an allocation that is over, or on another node, nothing is taken; nor what an agent
/// said to a server before it turned to another, which says the newer by now.
pub(super) fn observe(
    state: &mut State,
    work: &mut AtWork,
    nodes: &[(NodeId, Vec<Observation<TaskStates>>)],
    sessions: &BTreeMap<NodeId, Index>,
) -> Result<Accepted, Rejection> {
    for (node, observations) in nodes {
        // A node that was given up must register again first, which settles what stays.
        if state.node(*node).is_none_or(|node| node.status == NodeStatus::Down) {
            continue;
        }
        let is_past = sessions.get(node).is_some_and(|session| state.is_past_session(*node, *session));
        if is_past && !is_on(OldBug::LateReportsTaken) {
            continue;
        }
        let mut freed = false;
        for observation in observations {
            freed |= observe_one(state, work, *node, observation);
        }
        if freed && !is_on(OldBug::RoomUnnoticed) && state.node(*node).is_some_and(|node| node.is_schedulable()) {
            state.put_gain(*node);
        }
    }
    Ok(Accepted::default())
}

/// Takes over one observation; whether it freed something on the node.
fn observe_one(state: &mut State, work: &mut AtWork, node: NodeId, observation: &Observation<TaskStates>) -> bool {
    if let Err(alarm) = guard::observed(node, observation) {
        work.alarms.push(alarm);
        return false;
    }
    let Some(old) = state.allocation_on(node, observation.allocation).cloned() else { return false };
    if old.client_status.is_terminal() && !is_on(OldBug::EndsRevoked) {
        return false;
    }
    let mut new = (*old).clone();
    new.client_status = observation.client_status;
    let describes = !observation.client_description.is_empty();
    new.client_description = describes.then(|| observation.client_description.as_str().into());
    new.tasks = observation.tasks.clone();
    new.network_address = observation.network_address.as_deref().map(Arc::from);
    new.checks = observation.checks.clone();
    for check in new.checks.values_mut() {
        cut(&mut check.output, CHECK_OUTPUT_BYTES_MAX);
    }
    // What was decided stays decided, save that a healthy instance may turn out unhealthy.
    if observation.healthy.is_some() && old.healthy != Some(false) {
        new.healthy = observation.healthy;
        new.healthy_at = observation.healthy_at;
    }
    if new == *old {
        return false;
    }
    let ended = new.client_status.is_terminal();
    let health_changed = new.healthy != old.healthy;
    let key = new.job.clone();
    save(state, work, new.clone(), false);
    // Of a system job it matters that an instance runs which no rollout judges: a canary may take its place then.
    let runs_now = new.client_status == ClientStatus::Running && old.client_status != ClientStatus::Running;
    let is_judged = new.deployment.and_then(|id| state.deployment(id)).is_some_and(|known| known.status.is_active());
    let is_per_node = || state.job(&key).is_some_and(|record| record.current().job.kind.is_per_node());
    let moves_system_on = runs_now && !is_judged && is_per_node();
    if health_changed {
        deployment::health_changed(state, work, &old, &new);
        if new.healthy == Some(false) {
            settle_move(state, work, &new);
        }
    }
    let moves_on = health_changed
        && (new.healthy != Some(true) || is_of_system_job(state, &new) || deployment::waits_for_health(state, &new));
    if moves_on || moves_system_on {
        wake_planner(state, work, &key, Trigger::DeploymentWatcher);
    }
    if old.client_status == ClientStatus::Unknown && new.client_status != ClientStatus::Unknown {
        settle_found(state, work, &new);
        // While nobody knew how it was, what it stands in for went on.
        if new.is_well() && moving_original(state, &new).is_some() {
            wake_planner(state, work, &key, Trigger::NodeUpdate);
        }
    }
    if ended {
        let trigger =
            if new.client_status == ClientStatus::Failed { Trigger::AllocFailure } else { Trigger::AllocStop };
        // A batch job's end is looked at too: it may free a place for a queued instance of the job.
        wake_planner(state, work, &key, trigger);
        job::forget_if_purged(state, work, &key);
    }
    ended
}

/// Decides between an instance whose agent was silent and has now said how it is, and the one in its place. What failed or
/// ended leaves its replacement alone, save batch work that is done.
fn settle_found(state: &mut State, work: &mut AtWork, found: &Allocation) {
    let Some(stand_in) = reconnect::stand_in(state, found).cloned().filter(|_| found.desired == Desired::Run) else {
        return;
    };
    let is_done = found.client_status == ClientStatus::Complete
        && state.job(&found.job).is_some_and(|record| record.current().job.kind == JobType::Batch);
    let stays = is_done || (found.is_live() && !reconnect::keeps_replacement(state, found, &stand_in));
    if stays && !found.migrate {
        let replacements: Vec<_> = reconnect::chain(state, found).cloned().collect();
        for replacement in replacements {
            let replacement = Allocation { desired: Desired::Stop(StopReason::Reconnected), ..(*replacement).clone() };
            save(state, work, replacement, true);
        }
        let mut found = found.clone();
        found.tie(|ties| ties.next = None);
        save(state, work, found, false);
    } else if found.is_live() && !found.migrate {
        save(state, work, Allocation { desired: Desired::Stop(StopReason::Reconnected), ..found.clone() }, true);
    }
    wake_planner(state, work, &found.job, Trigger::NodeUpdate);
}

/// Lets an instance stay that was to move: what stands in for it ends, and what stands in for that where its node fell
/// silent, since all of them bear its name.
pub(super) fn stay(state: &mut State, work: &AtWork, original: &Allocation) {
    let replacements: Vec<_> = reconnect::chain(state, original).cloned().collect();
    let mut stays = Allocation { migrate: false, ..original.clone() };
    stays.tie(|ties| ties.next = None);
    save(state, work, stays, false);
    for replacement in replacements {
        let desired = Desired::Stop(StopReason::NotNeeded);
        save(state, work, Allocation { desired, ..Allocation::clone(&replacement) }, true);
    }
}

/// The instance that moves, and that `stand_in`, or what that stands in for itself, was placed for.
fn moving_original<'a>(state: &'a State, stand_in: &Allocation) -> Option<&'a Arc<Allocation>> {
    let previous_of = |known: &Allocation| state.allocation(known.ties().previous?);
    let mut before = std::iter::successors(previous_of(stand_in), |known| previous_of(known));
    before.find(|known| known.is_live() && known.migrate)
}

/// Lets the original of an instance that turned out unhealthy stay, if nothing makes it move any more: its drain was taken
/// back. A rebalance looks after its own moves.
fn settle_move(state: &mut State, work: &AtWork, unhealthy: &Allocation) {
    let Some(original) = moving_original(state, unhealthy).cloned() else { return };
    let drains = state.node(original.node).is_none_or(|node| node.drain.is_some());
    let is_rebalanced = state.rebalance.as_ref().is_some_and(|known| known.move_of(original.id).is_some());
    if !drains && !is_rebalanced {
        stay(state, work, &original);
    }
}

/// A person stops an allocation; the job's evaluation puts another in its place.
pub(super) fn stop(state: &mut State, work: &mut AtWork, id: AllocationId) -> Result<Accepted, Rejection> {
    let mut allocation = Allocation::clone(state.allocation(id).ok_or(Rejection::NoSuchAllocation)?);
    if !allocation.is_live() {
        return Err(Rejection::AlreadyStopped);
    }
    allocation.desired = Desired::Stop(StopReason::Requested);
    let key = allocation.job.clone();
    save(state, work, allocation, true);
    let wish = Wish::of(state, &key, Trigger::AllocStop);
    work.evaluate(state, wish);
    Ok(Accepted::default())
}

/// The leader's drains go on: these move, and those must end now.
pub(super) fn migrate(
    state: &mut State,
    work: &mut AtWork,
    moves: &[AllocationId],
    stops: &[AllocationId],
) -> Result<Accepted, Rejection> {
    let mut jobs = BTreeSet::new();
    let mut budgets = Budgets::default();
    for (id, stop) in moves.iter().map(|id| (id, false)).chain(stops.iter().map(|id| (id, true))) {
        let Some(allocation) = state.allocation(*id) else { continue };
        if !allocation.is_live() || (allocation.migrate && !stop) {
            continue;
        }
        // Something else may move, or be missing, since the leader looked; it looks again.
        if !budgets.allow(state, allocation, stop, work.at) {
            continue;
        }
        let mut allocation = Allocation::clone(allocation);
        allocation.migrate = true;
        if stop {
            allocation.desired = Desired::Stop(StopReason::Migrated);
        }
        jobs.insert(allocation.job.clone());
        save(state, work, allocation, stop);
    }
    for key in jobs {
        wake_planner(state, work, &key, Trigger::NodeDrain);
    }
    Ok(Accepted::default())
}

/// Stores an allocation that is new; where. `provides`: it has services.
pub(super) fn add(state: &mut State, work: &AtWork, allocation: Allocation, provides: bool) -> Place {
    state.indexes.allocations = work.index;
    state.changes.push(Change::Allocation { id: allocation.id, node: allocation.node, created: true, desired: true });
    state.add_allocation(allocation, provides)
}

/// Stores a changed allocation. `desired`: the agent has something new to do.
pub(super) fn save(state: &mut State, work: &AtWork, allocation: Allocation, desired: bool) {
    let ends = !allocation.is_live();
    let before = ends.then(|| state.allocation(allocation.id)).flatten().filter(|known| known.is_live()).cloned();
    store(state, work, allocation, desired);
    if let Some(before) = before {
        close_gap(state, work, &before);
    }
}

/// Between an instance and the one that stands in for it `gone` stood in: from now on that one does so directly, or both
/// would be taken for instances of their own.
fn close_gap(state: &mut State, work: &AtWork, gone: &Allocation) {
    let live =
        |id: Option<AllocationId>| id.and_then(|id| state.allocation(id)).filter(|known| known.is_live()).cloned();
    let original = live(gone.ties().previous).filter(|original| original.ties().next == Some(gone.id));
    if let (Some(original), Some(stand_in)) = (original, live(gone.ties().next)) {
        let (mut original, mut stand_in) = ((*original).clone(), (*stand_in).clone());
        original.tie(|ties| ties.next = Some(stand_in.id));
        stand_in.tie(|ties| ties.previous = Some(original.id));
        store(state, work, original, false);
        store(state, work, stand_in, false);
    }
}

fn store(state: &mut State, work: &AtWork, mut allocation: Allocation, desired: bool) {
    allocation.modify_index = work.index;
    allocation.modified_at = work.at;
    if desired {
        allocation.generation = work.index;
    }
    state.indexes.allocations = work.index;
    state.changes.push(Change::Allocation {
        id: allocation.id,
        node: allocation.node,
        created: allocation.create_index == work.index,
        desired,
    });
    state.put_allocation(allocation);
}

/// Whether the allocation belongs to a job with one instance per node.
pub(super) fn is_of_system_job(state: &State, allocation: &Allocation) -> bool {
    state.job_version(&allocation.job, allocation.job_version).is_some_and(|version| version.job.kind.is_per_node())
}

/// Evaluates a job that still exists.
pub(super) fn wake_planner(state: &mut State, work: &mut AtWork, key: &JobKey, trigger: Trigger) {
    if state.job(key).is_some() {
        let wish = Wish::of(state, key, trigger);
        work.evaluate(state, wish);
    }
}

/// Cuts `text` to at most `bytes_max` bytes, between characters.
fn cut(text: &mut String, bytes_max: usize) {
    if text.len() > bytes_max {
        let end = (0..=bytes_max).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_output_is_cut_at_the_limit_and_between_characters() {
        let mut exact = "a".repeat(CHECK_OUTPUT_BYTES_MAX);
        cut(&mut exact, CHECK_OUTPUT_BYTES_MAX);
        assert_eq!(exact.len(), CHECK_OUTPUT_BYTES_MAX);
        let mut longer = "ä".repeat(CHECK_OUTPUT_BYTES_MAX);
        cut(&mut longer, CHECK_OUTPUT_BYTES_MAX - 1);
        assert_eq!(longer.len(), CHECK_OUTPUT_BYTES_MAX - 2);
    }
}
