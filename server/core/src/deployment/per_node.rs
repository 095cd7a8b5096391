//! The rollout of a system job: how far it is on the nodes that are open now, whichever those were when it began; and what
//! becomes of instances whose agent never says how they do.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::{Allocation, AllocationId, ClientStatus, Deployment, Desired, HealthCheck, NodeId, NodeStatus, Timestamp};

use crate::limits::HEALTH_GRACE;
use crate::schedule::Feasibility;
use crate::state::State;

/// Instances of the group on open nodes: those of the rollout that do well, and all.
pub(super) fn standing(state: &State, deployment: &Deployment, name: &str) -> (u32, u32) {
    let version = state.job_version(&deployment.job, deployment.job_version);
    let Some((version, group)) = version.and_then(|known| Some((known, known.job.group(name)?))) else {
        return (0, 0);
    };
    let own = group.of_instance(0);
    let feasibility = Feasibility::alone(version, &own);
    let mut newest: BTreeMap<NodeId, &Arc<Allocation>> = BTreeMap::new();
    let of_group = state.allocations_of_job(&deployment.job).filter(|known| known.group == name);
    for known in of_group.filter(|known| known.desired == Desired::Run) {
        let stands = newest.entry(known.node).or_insert(known);
        if known.create_index >= stands.create_index {
            *stands = known;
        }
    }
    let is_open =
        |id: &NodeId| state.node(*id).is_some_and(|node| node.is_schedulable() && !feasibility.excludes(node));
    newest.retain(|node, _| is_open(node));
    let is_done = |known: &&&Arc<Allocation>| known.deployment == Some(deployment.id) && known.is_well();
    (newest.values().filter(is_done).count() as u32, newest.len() as u32)
}

/// Instances of the rollout that run, and of which the agent has not said how they do though it was to by now, as one does
/// that is older than such rollouts: that they run is all that there is to know. With the time at which the next is one.
pub(super) fn never_judged(
    state: &State,
    deployment: &Deployment,
    now: Timestamp,
) -> (Vec<AllocationId>, Option<Timestamp>) {
    let mut due = Vec::new();
    let mut next = None;
    let runs = |known: &&Arc<Allocation>| {
        let is_heard = state.node(known.node).is_some_and(|node| node.status == NodeStatus::Ready);
        is_heard && known.is_live() && known.client_status == ClientStatus::Running && known.healthy.is_none()
    };
    let of_it = state.allocations_of_job(&deployment.job).filter(|known| known.deployment == Some(deployment.id));
    for known in of_it.filter(runs) {
        let version = state.job_version(&known.job, known.job_version);
        let update = version.and_then(|version| version.job.group(&known.group)?.update.clone()).unwrap_or_default();
        // What a person is to judge waits for that.
        if update.health_check == HealthCheck::Manual {
            continue;
        }
        let started = known.tasks.unpack().values().filter_map(|task| task.started_at).max();
        let at = started.unwrap_or(known.created_at).max(known.created_at) + update.healthy_deadline + HEALTH_GRACE;
        if at <= now {
            due.push(known.id);
        } else {
            next = [next, Some(at)].into_iter().flatten().min();
        }
    }
    (due, next)
}
