//! The rollout of a job's current version: whether there is a deployment, and how much of it may go on now.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::{Allocation, Deployment, DeploymentStatus, Group, JobType, Update};

use super::Wishes;
use crate::plan::{DeploymentChange, GroupGoal};
use crate::state::{JobRecord, JobVersion, State};

/// The rollout of a job's current version.
pub(super) struct Rollout<'a> {
    version: &'a Arc<JobVersion>,
    /// The newest deployment, if it is of this version.
    deployment: Option<&'a Arc<Deployment>>,
}

impl<'a> Rollout<'a> {
    /// The rollout of `record`'s current version.
    pub fn of(state: &'a State, record: &'a JobRecord) -> Self {
        let version = record.current();
        let deployment = state.latest_deployment(&record.key).filter(|known| record.is_rolled_out_by(known));
        Self { version, deployment }
    }

    /// How instances of `group` are replaced step by step; none where all are at once.
    pub fn strategy<'g>(&self, group: &'g Group) -> Option<&'g Update> {
        let rolls = match self.version.job.kind {
            JobType::Service | JobType::System => true,
            JobType::Batch | JobType::SysBatch => false,
        };
        group.update.as_ref().filter(|update| rolls && update.max_parallel > 0)
    }

    /// Whether an instance is of the version that is rolled out.
    pub fn is_of_its_version(&self, allocation: &Allocation) -> bool {
        allocation.job_version == self.version.version
    }

    /// Whether nothing may be replaced now: the rollout failed, or a person paused it.
    pub fn is_halted(&self) -> bool {
        self.deployment.is_some_and(|known| match known.status {
            DeploymentStatus::Paused | DeploymentStatus::Failed | DeploymentStatus::Cancelled => true,
            DeploymentStatus::Running | DeploymentStatus::Successful => false,
        })
    }

    /// Whether canaries of `group` must be promoted before anything else is replaced.
    pub fn waits_for_canaries(&self, group: &Group, update: &Update) -> bool {
        let progress = self.deployment.and_then(|known| known.groups.get(&group.name));
        update.canary > 0 && !progress.is_some_and(|progress| progress.promoted)
    }

    /// The deployment, if it is of this version and goes on.
    pub fn active(&self) -> Option<&Deployment> {
        self.deployment.filter(|known| known.status.is_active()).map(|known| &**known)
    }

    /// Begins a deployment if the version has none and something changes because of it.
    pub fn begin_if_new(&self, wishes: &mut Wishes) {
        if self.deployment.is_some() || self.version.job.kind != JobType::Service {
            return;
        }
        let rolling: Vec<_> =
            self.version.job.groups.iter().filter(|group| self.strategy(group).is_some() && group.count > 0).collect();
        let counts = |group: &Group| wishes.counts.get(&group.name).copied().unwrap_or_default();
        let replaces = |group: &Group| {
            let counts = counts(group);
            counts.destructive + counts.canary > 0 || wishes.held_back.contains_key(&group.name)
        };
        if !rolling.iter().any(|group| replaces(group) || counts(group).place + counts(group).in_place > 0) {
            return;
        }
        let goal = |group: &&Group| {
            let canaries = group.update.as_ref().map_or(0, |update| update.canary).min(group.count);
            let canaries = if replaces(group) { canaries } else { 0 };
            (group.name.clone(), GroupGoal { total: group.count, canaries })
        };
        let goals: BTreeMap<_, _> = rolling.iter().map(goal).collect();
        wishes.deployment = DeploymentChange::Begin(goals);
    }
}
