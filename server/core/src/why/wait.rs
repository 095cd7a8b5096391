//! What a group waits for where it is not room: a person, a pause after a failure, the pace of a rollout.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::{
    Allocation, AllocationId, ClientStatus, Deployment, DeploymentGroup, DeploymentId, DeploymentStatus, Desired,
    EvaluationStatus, Group, Timestamp,
};

use crate::schedule::shall_come_back;
use crate::state::{JobRecord, State};

/// What a group waits for, apart from room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wait {
    /// All instances of its job are placed at once or none, and these groups have no room for all of theirs.
    AllAtOnce {
        /// Their names, in order.
        groups: Vec<String>,
    },
    /// All its canaries are healthy, and somebody must promote them.
    Promotion {
        /// Their deployment.
        deployment: DeploymentId,
    },
    /// Its canaries must become healthy first.
    Canaries {
        /// How many are.
        healthy: u32,
        /// How many there shall be.
        wanted: u32,
    },
    /// Its deployment was paused.
    Paused {
        /// The deployment.
        deployment: DeploymentId,
    },
    /// Its deployment goes on at its pace.
    Rollout {
        /// Instances that were healthy.
        healthy: u32,
        /// Instances that shall be.
        wanted: u32,
    },
    /// An instance of a service ended by itself, and is placed anew then.
    Ended {
        /// It.
        allocation: AllocationId,
        /// Its name, `web.web[0]`.
        name: String,
        /// When.
        at: Timestamp,
    },
    /// An instance failed.
    Failed {
        /// It.
        allocation: AllocationId,
        /// Its name, `web.web[0]`.
        name: String,
        /// When it is placed anew.
        next: Attempt,
    },
}

/// Whether and when an instance that failed is placed anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// Then.
    At(Timestamp),
    /// Its attempts are used up.
    Never,
}

/// What `group` waits for, apart from room.
pub(super) fn waits(state: &State, record: &JobRecord, group: &Group) -> Vec<Wait> {
    if record.stop {
        return Vec::new();
    }
    let deployment = state.latest_deployment(&record.key).filter(|known| record.is_rolled_out_by(known));
    let of_deployment = deployment
        .and_then(|known| Some((known, known.groups.get(&group.name)?)))
        .and_then(|(deployment, goal)| wait_of(state, deployment, goal));
    let failed = failed(state, record, group);
    // What has failed says why the rollout is not further.
    let of_deployment = of_deployment.filter(|wait| failed.is_empty() || !matches!(wait, Wait::Rollout { .. }));
    all_at_once(state, record).into_iter().chain(of_deployment).chain(failed).collect()
}

fn all_at_once(state: &State, record: &JobRecord) -> Option<Wait> {
    let job = &record.current().job;
    let blocked = super::blocked(state, &record.key).filter(|_| job.all_at_once && !job.kind.is_per_node())?;
    let groups: Vec<_> = blocked.unplaced.keys().cloned().collect();
    (!groups.is_empty()).then_some(Wait::AllAtOnce { groups })
}

fn wait_of(state: &State, deployment: &Deployment, goal: &DeploymentGroup) -> Option<Wait> {
    let is_healthy = |id: &&AllocationId| state.allocation(**id).is_some_and(|known| known.is_well());
    let healthy_canaries = goal.placed_canaries.iter().filter(is_healthy).count() as u32;
    let has_canaries = goal.desired_canaries > 0 && !goal.promoted;
    match deployment.status {
        DeploymentStatus::Successful | DeploymentStatus::Failed | DeploymentStatus::Cancelled => None,
        DeploymentStatus::Paused => Some(Wait::Paused { deployment: deployment.id }),
        DeploymentStatus::Running if has_canaries && healthy_canaries < goal.desired_canaries => {
            Some(Wait::Canaries { healthy: healthy_canaries, wanted: goal.desired_canaries })
        }
        // Those that promote themselves do it as soon as the last of the deployment's is healthy.
        DeploymentStatus::Running if has_canaries && !goal.auto_promote => {
            Some(Wait::Promotion { deployment: deployment.id })
        }
        DeploymentStatus::Running => {
            let is_over = goal.healthy >= goal.desired_total && !has_canaries;
            (!is_over).then_some(Wait::Rollout { healthy: goal.healthy, wanted: goal.desired_total })
        }
    }
}

/// The instances that failed, or ended though they shall run, and in whose place there is none: as many as the group lacks,
/// since what was beyond its count is not missed.
fn failed(state: &State, record: &JobRecord, group: &Group) -> Vec<Wait> {
    let of_group = || state.allocations_of_job(&record.key).filter(|known| known.group == group.name);
    let kind = record.current().job.kind;
    let per_node = kind.is_per_node();
    // What bears the same name, or for a system job stands on the same node, is in its place.
    let place = |known: &Allocation| (per_node.then_some(known.node), known.index);
    let mut newest: BTreeMap<_, &Arc<Allocation>> = BTreeMap::new();
    for known in of_group() {
        let stands = newest.entry(place(known)).or_insert(known);
        if known.create_index >= stands.create_index {
            *stands = known;
        }
    }
    let is_failed = |known: &&&Arc<Allocation>| shall_come_back(known, kind);
    let fulfilled = newest.values().filter(|known| !is_failed(known) && (known.is_live() || is_done(known))).count();
    let lacking = if per_node { usize::MAX } else { (group.count as usize).saturating_sub(fulfilled) };
    newest
        .values()
        .filter(is_failed)
        .take(lacking)
        .filter_map(|known| failed_one(state, record, group, known))
        .collect()
}

/// Whether it ran to its end, as an instance of a batch job does.
fn is_done(allocation: &Allocation) -> bool {
    allocation.client_status == ClientStatus::Complete && allocation.desired == Desired::Run
}

fn failed_one(state: &State, record: &JobRecord, group: &Group, failed: &Allocation) -> Option<Wait> {
    let open = |status| state.evaluations_of_job(&record.key).filter(move |known| known.status == status);
    let follow_up = failed.ties().follow_up.and_then(|id| state.evaluation(id));
    let next = match follow_up.filter(|known| !known.status.is_terminal()).and_then(|known| known.wait_until) {
        Some(at) => Attempt::At(at),
        // Somebody is about to look at it, or its next attempt finds no room.
        None if open(EvaluationStatus::Pending).any(|known| known.wait_until.is_none()) => return None,
        None if open(EvaluationStatus::Blocked).any(|known| known.unplaced.contains_key(&group.name)) => return None,
        None => Attempt::Never,
    };
    let (allocation, name) = (failed.id, failed.name());
    Some(match (failed.client_status, next) {
        (ClientStatus::Complete, Attempt::At(at)) => Wait::Ended { allocation, name, at },
        (_, next) => Wait::Failed { allocation, name, next },
    })
}
