//! Forgets what is over and old, as the leader's collection found it; each object is looked at once more.

use model::{AllocationId, DeploymentId, EvaluationId, JobKey, NodeId};

use super::{Accepted, Rejection, job};
use crate::state::{Change, JobStatus, NodeChange, State};

pub(super) fn collect(
    state: &mut State,
    evaluations: &[EvaluationId],
    allocations: &[AllocationId],
    deployments: &[DeploymentId],
    jobs: &[JobKey],
    nodes: &[NodeId],
) -> Result<Accepted, Rejection> {
    for id in allocations {
        if state.allocation(*id).is_some_and(|allocation| !allocation.holds()) {
            state.remove_allocation(*id);
            state.indexes.allocations = state.index;
        }
    }
    for id in evaluations {
        if state.evaluation(*id).is_some_and(|evaluation| evaluation.status.is_terminal()) {
            state.remove_evaluation(*id);
            state.indexes.evaluations = state.index;
        }
    }
    for id in deployments {
        if state.deployment(*id).is_some_and(|deployment| !deployment.status.is_active()) {
            state.remove_deployment(*id);
            state.indexes.deployments = state.index;
        }
    }
    for key in jobs {
        if state.job(key).is_some() && state.job_status(key) == JobStatus::Dead {
            job::forget(state, state.index, key);
        }
    }
    for id in nodes {
        let empty = state.allocations_of_node(*id).all(|allocation| !allocation.holds()) && !state.has_volumes(*id);
        if empty && state.node(*id).is_some_and(|node| node.status == model::NodeStatus::Down) {
            state.remove_node(*id);
            state.port_cursors.remove(id);
            state.remove_gain(*id);
            state.indexes.nodes = state.index;
            state.changes.push(Change::Node { id: *id, kind: NodeChange::Deregistered });
        }
    }
    Ok(Accepted::default())
}
