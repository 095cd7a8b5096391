//! Deployments.

use std::collections::BTreeMap;

use model::{Deployment, DeploymentGroup, Index};
use serde::Serialize;
use server_core::state::State;

use super::time::GoTime;

/// A deployment.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::http) struct DeploymentView<'a> {
    #[serde(rename = "ID")]
    id: String,
    namespace: &'a str,
    #[serde(rename = "JobID")]
    job_id: &'a str,
    job_version: u64,
    job_modify_index: Index,
    job_spec_modify_index: Index,
    job_create_index: Index,
    is_multiregion: bool,
    task_groups: BTreeMap<&'a str, GroupView>,
    status: &'static str,
    status_description: &'a str,
    eval_priority: u32,
    create_index: Index,
    modify_index: Index,
    create_time: i64,
    modify_time: i64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct GroupView {
    auto_revert: bool,
    auto_promote: bool,
    progress_deadline: u64,
    require_progress_by: GoTime,
    promoted: bool,
    placed_canaries: Vec<String>,
    desired_canaries: u32,
    desired_total: u32,
    placed_allocs: u32,
    healthy_allocs: u32,
    unhealthy_allocs: u32,
}

impl<'a> DeploymentView<'a> {
    /// A deployment.
    pub(in crate::http) fn of(state: &State, deployment: &'a Deployment) -> Self {
        // The version may be forgotten by now; then its deployment's own beginning is the best that is known.
        let version = state.job_version(&deployment.job, deployment.job_version);
        let job_index = version.map_or(deployment.create_index, |version| version.index);
        Self {
            id: deployment.id.to_string(),
            namespace: &deployment.job.namespace,
            job_id: &deployment.job.id,
            job_version: deployment.job_version,
            job_modify_index: job_index,
            job_spec_modify_index: job_index,
            job_create_index: deployment.job_create_index,
            is_multiregion: false,
            task_groups: deployment.groups.iter().map(|(name, group)| (name.as_str(), GroupView::of(group))).collect(),
            status: deployment.status.as_str(),
            status_description: &deployment.description,
            eval_priority: version.map_or(0, |version| version.job.priority),
            create_index: deployment.create_index,
            modify_index: deployment.modify_index,
            create_time: deployment.created_at.nanoseconds(),
            modify_time: deployment.modified_at.nanoseconds(),
        }
    }
}

impl GroupView {
    fn of(group: &DeploymentGroup) -> Self {
        Self {
            auto_revert: group.auto_revert,
            auto_promote: group.auto_promote,
            progress_deadline: group.progress_deadline_ns,
            require_progress_by: GoTime(group.require_progress_by),
            promoted: group.promoted,
            placed_canaries: group.placed_canaries.iter().map(ToString::to_string).collect(),
            desired_canaries: group.desired_canaries,
            desired_total: group.desired_total,
            placed_allocs: group.placed,
            healthy_allocs: group.healthy,
            unhealthy_allocs: group.unhealthy,
        }
    }
}
