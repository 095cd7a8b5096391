//! Which of two instances stays when a node returns: the one that was out of contact, or the one that took its place.
//!
//! Arithmetic only, because `apply` decides it: in the entry that brings the node back where the replacement stays, so
//! that the agent never starts what is going to be stopped; otherwise when the agent has said that the original runs. One
//! that failed or ended while it was away leaves its replacement alone.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::{Allocation, ClientStatus, Group, LifecycleHook, NodeStatus, Reconcile, TaskState, Timestamp};

use crate::state::State;

/// The live instance that stands in for `original` at last: its replacement, or the replacement of that.
pub(crate) fn stand_in<'a>(state: &'a State, original: &Allocation) -> Option<&'a Arc<Allocation>> {
    chain(state, original).last()
}

/// The live instances that took the place of `original`, each in place of the one before.
pub(crate) fn chain<'a>(state: &'a State, original: &Allocation) -> impl Iterator<Item = &'a Arc<Allocation>> {
    let next_of = |of: &Allocation| state.allocation(of.ties().next?).filter(|next| next.is_live());
    std::iter::successors(next_of(original), move |next| next_of(next))
}

/// Since when nobody knows what becomes of `allocation`; none where its node is not down.
pub(crate) fn silent_since(state: &State, allocation: &Allocation) -> Option<Timestamp> {
    match state.node(allocation.node) {
        Some(node) if node.status == NodeStatus::Down => Some(node.status_at),
        Some(_) => None,
        None => Some(allocation.modified_at),
    }
}

/// When an instance of `group` that is out of contact since then counts as lost, if it ever does.
pub(crate) fn lost_at(group: &Group, since: Timestamp) -> Option<Timestamp> {
    let lost_after = group.disconnect_rules()?.lost_after;
    (!lost_after.is_zero()).then(|| since + lost_after)
}

/// Whether `replacement` stays and `original` ends. A newer version stays whatever its group asks for; what is itself out
/// of contact never does.
pub(crate) fn keeps_replacement(state: &State, original: &Allocation, replacement: &Allocation) -> bool {
    if replacement.client_status == ClientStatus::Unknown {
        return false;
    }
    if replacement.job_version > original.job_version {
        return true;
    }
    let group = group_of(state, original);
    match group.and_then(Group::disconnect_rules).map(|disconnect| disconnect.reconcile) {
        Some(Reconcile::KeepOriginal) => false,
        Some(Reconcile::KeepReplacement) => true,
        Some(Reconcile::LongestRunning) => {
            let started =
                |allocation: &Allocation| group.and_then(|group| started_at(group, &allocation.tasks.unpack()));
            match (started(original), started(replacement)) {
                (Some(original), Some(replacement)) => replacement < original,
                (None, Some(_)) => true,
                (_, None) => false,
            }
        }
        Some(Reconcile::BestScore) | None => {
            let runs_well = replacement.client_status == ClientStatus::Running && replacement.healthy != Some(false);
            replacement.healthy == Some(true) || (replacement.healthy.is_none() && runs_well)
        }
    }
}

pub(crate) fn group_of<'a>(state: &'a State, allocation: &Allocation) -> Option<&'a Group> {
    state.job_version(&allocation.job, allocation.job_version)?.job.group(&allocation.group)
}

/// Since when an instance does its work: its leader, or else the oldest of its main tasks.
fn started_at(group: &Group, tasks: &BTreeMap<String, TaskState>) -> Option<Timestamp> {
    let started = |task: &str| tasks.get(task).and_then(|task| task.started_at);
    if let Some(leader) = group.tasks.iter().find(|task| task.leader) {
        return started(&leader.name);
    }
    let is_main = |task: &&model::Task| match task.lifecycle.as_ref().map(|lifecycle| lifecycle.hook) {
        None => true,
        Some(LifecycleHook::Prestart | LifecycleHook::Poststart | LifecycleHook::Poststop) => false,
    };
    group.tasks.iter().filter(is_main).filter_map(|task| started(&task.name)).min()
}

#[cfg(test)]
mod tests {
    use model::{Lifecycle, Task};

    use super::*;

    #[test]
    fn the_leader_or_the_oldest_main_task_says_how_long_an_instance_has_run() {
        let hook = Lifecycle { hook: LifecycleHook::Prestart, sidecar: true };
        let task = |name: &str| Task { name: name.into(), ..Task::default() };
        let sidecar = Task { lifecycle: Some(hook), ..task("proxy") };
        let mut group = Group { tasks: vec![sidecar, task("web"), task("log")], ..Group::default() };
        let started = |at| TaskState { started_at: Some(Timestamp::from_seconds(at)), ..TaskState::default() };
        let tasks = [("proxy", 10), ("web", 30), ("log", 20)];
        let tasks = tasks.map(|(name, at)| (name.to_string(), started(at))).into_iter().collect();
        assert_eq!(started_at(&group, &tasks), Some(Timestamp::from_seconds(20)));
        group.tasks[1].leader = true;
        assert_eq!(started_at(&group, &tasks), Some(Timestamp::from_seconds(30)));
    }
}
