//! Deployments.

use std::collections::BTreeMap;

use serde::Deserialize;

/// A deployment: one version of a job on its way.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Deployment {
    #[serde(rename = "ID")]
    pub id: String,
    pub namespace: String,
    #[serde(rename = "JobID")]
    pub job_id: String,
    pub job_version: u64,
    pub job_create_index: u64,
    pub task_groups: BTreeMap<String, DeploymentGroup>,
    pub status: String,
    pub status_description: String,
    pub create_index: u64,
    pub modify_index: u64,
    pub create_time: i64,
}

impl Deployment {
    /// Whether it still goes on.
    pub fn is_active(&self) -> bool {
        !matches!(self.status.as_str(), "successful" | "failed" | "cancelled" | "canceled")
    }

    /// Healthy instances and those that are wanted, over all groups.
    pub fn progress(&self) -> (u64, u64) {
        let groups = || self.task_groups.values();
        (groups().map(|group| group.healthy_allocs).sum(), groups().map(|group| group.desired_total).sum())
    }

    /// Whether only a person's word is missing for it to go on.
    pub fn awaits_promotion(&self) -> bool {
        let mut canaries = self.task_groups.values().filter(|group| group.desired_canaries > 0 && !group.promoted);
        let ready = |group: &DeploymentGroup| !group.auto_promote && group.healthy_allocs >= group.desired_canaries;
        self.is_active() && canaries.clone().next().is_some() && canaries.all(ready)
    }
}

/// How far one group is.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct DeploymentGroup {
    pub auto_revert: bool,
    pub auto_promote: bool,
    /// When it fails unless something turns healthy before; text form, empty or zero where there is no deadline.
    pub require_progress_by: String,
    pub promoted: bool,
    pub desired_canaries: u64,
    pub desired_total: u64,
    pub placed_allocs: u64,
    pub healthy_allocs: u64,
    pub unhealthy_allocs: u64,
}
