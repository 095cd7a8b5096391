//! Deployments: begun by plans, moved on by health, ended by the leader's watch or a person.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::{Allocation, AllocationId, Deployment, DeploymentGroup, DeploymentId, DeploymentStatus, JobKey, Trigger};

use super::{Accepted, AtWork, Rejection, Wish, job};
use crate::deployment::healthy_canaries;
use crate::plan::GroupGoal;
use crate::state::{Change, State};

/// Begins the rollout of the job's current version; one of an older version is cancelled.
pub(super) fn begin(
    state: &mut State,
    work: &AtWork,
    key: &JobKey,
    id: DeploymentId,
    goals: &BTreeMap<String, GroupGoal>,
) {
    if let Some(active) = state.latest_deployment(key).filter(|known| known.status.is_active()).cloned() {
        finish(state, work, &active, DeploymentStatus::Cancelled, "Cancelled due to newer version of job");
    }
    let Some(record) = state.job(key).cloned() else { return };
    let version = record.current();
    let group = |(name, goal): (&String, &GroupGoal)| {
        let update = version.job.group(name).and_then(|group| group.update.clone()).unwrap_or_default();
        let group = DeploymentGroup {
            auto_revert: update.auto_revert,
            auto_promote: update.auto_promote,
            progress_deadline_ns: u64::try_from(update.progress_deadline.as_nanos()).unwrap_or(u64::MAX),
            require_progress_by: (!update.progress_deadline.is_zero()).then(|| work.at + update.progress_deadline),
            desired_total: goal.total,
            desired_canaries: goal.canaries,
            ..DeploymentGroup::default()
        };
        (name.clone(), group)
    };
    let deployment = Deployment {
        id,
        job: key.clone(),
        job_version: version.version,
        job_create_index: record.create_index,
        groups: goals.iter().map(group).collect(),
        status: DeploymentStatus::Running,
        description: "Deployment is running".into(),
        create_index: work.index,
        modify_index: 0,
        created_at: work.at,
        modified_at: work.at,
    };
    save(state, work, deployment);
}

/// Instances that join a deployment, per group.
#[derive(Default)]
pub(super) struct Joined(BTreeMap<String, (u32, Vec<AllocationId>)>);

impl Joined {
    /// Counts one whose health is not decided yet.
    pub fn add(&mut self, allocation: &Allocation) {
        if !self.0.contains_key(&allocation.group) {
            self.0.insert(allocation.group.clone(), (0, Vec::new()));
        }
        if let Some((placed, canaries)) = self.0.get_mut(&allocation.group) {
            *placed += 1;
            canaries.extend(allocation.canary.then_some(allocation.id));
        }
    }
}

/// Counts instances that join a deployment.
pub(super) fn count_placed(state: &mut State, work: &AtWork, id: DeploymentId, joined: &Joined) {
    let is_of = |known: &&Arc<Deployment>| joined.0.keys().any(|group| known.groups.contains_key(group));
    let Some(deployment) = state.deployment(id).filter(is_of) else { return };
    let mut deployment = (**deployment).clone();
    for (name, (placed, canaries)) in &joined.0 {
        if let Some(group) = deployment.groups.get_mut(name) {
            group.placed += placed;
            group.placed_canaries.extend(canaries);
        }
    }
    save(state, work, deployment);
}

/// Counts an instance whose health was decided, or changed. Progress moves the deadline: that more instances than before
/// have come up at all. One in place of another that was healthy and failed is no progress, or a version whose instances
/// live for a while would be rolled out for ever.
pub(super) fn health_changed(state: &mut State, work: &AtWork, old: &Allocation, new: &Allocation) {
    let Some(id) = new.deployment else { return };
    let at = work.at;
    let is_progress = !takes_the_place_of_healthy(state, new);
    change_group(state, work, id, &new.group, |group| {
        match old.healthy {
            Some(true) => group.healthy = group.healthy.saturating_sub(1),
            Some(false) => group.unhealthy = group.unhealthy.saturating_sub(1),
            None => {}
        }
        match new.healthy {
            Some(true) => {
                group.healthy += 1;
                if is_progress && group.progress_deadline_ns > 0 {
                    let deadline = std::time::Duration::from_nanos(group.progress_deadline_ns);
                    group.require_progress_by = Some(at + deadline);
                }
            }
            Some(false) => group.unhealthy += 1,
            None => {}
        }
    });
}

/// Whether one of those that stood where `new` stands, each in place of the one before, was healthy in the same deployment.
fn takes_the_place_of_healthy(state: &State, new: &Allocation) -> bool {
    let previous_of = |known: &Allocation| {
        let previous = known.ties().previous.and_then(|id| state.allocation(id));
        previous.filter(|previous| previous.deployment == new.deployment)
    };
    std::iter::successors(previous_of(new), |known| previous_of(known)).any(|known| known.healthy == Some(true))
}

/// Whether more than the watch over deployments waits for the health of an instance: not if all that its rollout wants is
/// placed, and nothing is left that it takes the place of.
pub(super) fn waits_for_health(state: &State, allocation: &Allocation) -> bool {
    let Some(deployment) = allocation.deployment.and_then(|id| state.deployment(id)) else { return true };
    let is_placed = |group: &DeploymentGroup| {
        group.placed >= group.desired_total && (group.desired_canaries == 0 || group.promoted)
    };
    let is_last = deployment.status == DeploymentStatus::Running && deployment.groups.values().all(is_placed);
    !is_last || state.has_leaving(&allocation.job, deployment.job_version)
}

/// Ends a deployment: by the leader's watch, or by a person, who may go back to a stable version.
pub(super) fn end(
    state: &mut State,
    work: &mut AtWork,
    id: DeploymentId,
    status: DeploymentStatus,
    description: &str,
    revert_to: Option<u64>,
) -> Result<Accepted, Rejection> {
    let deployment = active(state, id)?;
    finish(state, work, &deployment, status, description);
    let mut accepted = Accepted { deployment: Some(id), ..Accepted::default() };
    if status == DeploymentStatus::Successful {
        job::set_stability(state, &deployment.job, deployment.job_version, true)?;
    }
    // Whoever asked for it may not have seen that a newer version came meanwhile.
    let is_current = state.job(&deployment.job).is_some_and(|record| record.is_rolled_out_by(&deployment));
    match revert_to.filter(|_| is_current) {
        Some(version) => {
            accepted.job_version = job::revert(state, work, &deployment.job, version, None)?.job_version;
        }
        None if state.job(&deployment.job).is_some() => {
            let wish = Wish { deployment: Some(id), ..Wish::of(state, &deployment.job, Trigger::DeploymentWatcher) };
            work.evaluate(state, wish);
        }
        None => {}
    }
    Ok(accepted)
}

/// Lets the rest follow healthy canaries.
pub(super) fn promote(
    state: &mut State,
    work: &mut AtWork,
    id: DeploymentId,
    groups: Option<&[String]>,
) -> Result<Accepted, Rejection> {
    let mut deployment = active(state, id)?;
    let mut promoted = Vec::new();
    for (name, group) in &mut deployment.groups {
        let asked = groups.is_none_or(|names| names.contains(name));
        if !asked || group.desired_canaries == 0 || group.promoted {
            continue;
        }
        let healthy = healthy_canaries(state, group);
        if healthy < group.desired_canaries {
            return Err(Rejection::CanariesUnhealthy { group: name.clone(), healthy, wanted: group.desired_canaries });
        }
        group.promoted = true;
        // Nobody made progress while a person was waited for.
        if group.progress_deadline_ns > 0 {
            let deadline = std::time::Duration::from_nanos(group.progress_deadline_ns);
            group.require_progress_by = Some(work.at + deadline);
        }
        promoted.extend(group.placed_canaries.iter().copied());
    }
    if promoted.is_empty() {
        return Err(Rejection::NoCanaries);
    }
    for canary in promoted {
        if let Some(allocation) = state.allocation(canary).cloned() {
            let mut allocation = (*allocation).clone();
            allocation.canary = false;
            super::allocation::save(state, work, allocation, true);
        }
    }
    let key = deployment.job.clone();
    save(state, work, deployment);
    evaluate(state, work, &key, id)
}

/// Stops a deployment for a while, or lets it go on.
pub(super) fn pause(
    state: &mut State,
    work: &mut AtWork,
    id: DeploymentId,
    pause: bool,
) -> Result<Accepted, Rejection> {
    let mut deployment = active(state, id)?;
    let key = deployment.job.clone();
    if pause {
        deployment.status = DeploymentStatus::Paused;
        deployment.description = "Deployment is paused".into();
    } else {
        deployment.status = DeploymentStatus::Running;
        deployment.description = "Deployment is running".into();
        for group in deployment.groups.values_mut().filter(|group| group.progress_deadline_ns > 0) {
            let deadline = std::time::Duration::from_nanos(group.progress_deadline_ns);
            group.require_progress_by = Some(work.at + deadline);
        }
    }
    save(state, work, deployment);
    evaluate(state, work, &key, id)
}

/// Takes over what a person says of the health of allocations.
pub(super) fn set_health(
    state: &mut State,
    work: &mut AtWork,
    id: DeploymentId,
    healthy: &[AllocationId],
    unhealthy: &[AllocationId],
) -> Result<Accepted, Rejection> {
    let deployment = active(state, id)?;
    for (allocation, health) in healthy.iter().map(|id| (id, true)).chain(unhealthy.iter().map(|id| (id, false))) {
        let old = state.allocation(*allocation).filter(|known| known.deployment == Some(id)).cloned();
        let old = old.ok_or(Rejection::NoSuchAllocation)?;
        let mut new = (*old).clone();
        new.healthy = Some(health);
        new.healthy_at = Some(work.at);
        super::allocation::save(state, work, new.clone(), false);
        if new.healthy != old.healthy {
            health_changed(state, work, &old, &new);
        }
    }
    evaluate(state, work, &deployment.job, id)
}

/// Gives an active deployment its last status.
pub(super) fn finish(
    state: &mut State,
    work: &AtWork,
    deployment: &Deployment,
    status: DeploymentStatus,
    description: &str,
) {
    let mut deployment = deployment.clone();
    deployment.status = status;
    deployment.description = description.into();
    save(state, work, deployment);
}

fn active(state: &State, id: DeploymentId) -> Result<Deployment, Rejection> {
    let deployment = state.deployment(id).ok_or(Rejection::NoSuchDeployment)?;
    if !deployment.status.is_active() {
        return Err(Rejection::DeploymentOver { status: deployment.status.as_str().into() });
    }
    Ok((**deployment).clone())
}

fn evaluate(state: &mut State, work: &mut AtWork, key: &JobKey, id: DeploymentId) -> Result<Accepted, Rejection> {
    let wish = Wish { deployment: Some(id), ..Wish::of(state, key, Trigger::DeploymentWatcher) };
    work.evaluate(state, wish);
    Ok(Accepted { deployment: Some(id), ..Accepted::default() })
}

fn change_group(
    state: &mut State,
    work: &AtWork,
    id: DeploymentId,
    group: &str,
    change: impl FnOnce(&mut DeploymentGroup),
) {
    let Some(deployment) = state.deployment(id) else { return };
    let mut deployment = (**deployment).clone();
    if let Some(group) = deployment.groups.get_mut(group) {
        change(group);
        save(state, work, deployment);
    }
}

fn save(state: &mut State, work: &AtWork, mut deployment: Deployment) {
    deployment.modify_index = work.index;
    deployment.modified_at = work.at;
    state.indexes.deployments = work.index;
    state.changes.push(Change::Deployment(deployment.id));
    state.put_deployment(deployment);
}
