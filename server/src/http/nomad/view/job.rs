//! Jobs: the document with what the servers add, rows of lists, versions.

use std::collections::BTreeMap;

use model::{Deployment, DeploymentStatus, Index, Job};
use serde::Serialize;
use server_core::state::{JobRecord, JobVersion, State};

use super::allocation::shown_status;
use super::summary::JobSummary;

/// A version of a job: its document and what the servers add.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::http) struct JobView<'a> {
    #[serde(flatten)]
    document: &'a Job,
    stop: bool,
    status: &'static str,
    status_description: &'static str,
    stable: bool,
    version: u64,
    submit_time: i64,
    create_index: Index,
    modify_index: Index,
    job_modify_index: Index,
}

impl<'a> JobView<'a> {
    /// The version of a job that is wanted.
    pub(in crate::http) fn current(state: &'a State, record: &'a JobRecord) -> Self {
        Self::version(state, record, record.current())
    }

    /// A version of a job.
    pub(in crate::http) fn version(state: &'a State, record: &'a JobRecord, version: &'a JobVersion) -> Self {
        let is_current = version.version == record.current().version;
        Self {
            document: &version.job,
            stop: record.stop && is_current,
            status: state.job_status(&record.key).as_str(),
            status_description: "",
            stable: version.stable,
            version: version.version,
            submit_time: version.submitted_at.nanoseconds(),
            create_index: record.create_index,
            modify_index: if is_current { record.modify_index } else { version.index },
            job_modify_index: if is_current { record.job_modify_index } else { version.index },
        }
    }
}

/// A row of the list of jobs.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::http) struct JobStub<'a> {
    #[serde(rename = "ID")]
    id: &'a str,
    #[serde(rename = "ParentID")]
    parent_id: &'static str,
    name: &'a str,
    namespace: &'a str,
    datacenters: &'a [String],
    node_pool: &'a str,
    #[serde(rename = "Type")]
    kind: &'static str,
    priority: u32,
    periodic: bool,
    parameterized_job: bool,
    stop: bool,
    status: &'static str,
    status_description: &'static str,
    job_summary: JobSummary,
    create_index: Index,
    modify_index: Index,
    job_modify_index: Index,
    submit_time: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    meta: Option<&'a BTreeMap<String, String>>,
}

impl<'a> JobStub<'a> {
    /// The row of a job.
    pub(in crate::http) fn of(state: &State, record: &'a JobRecord, with_meta: bool) -> Self {
        let version = record.current();
        let job = &version.job;
        Self {
            id: &job.id,
            parent_id: "",
            name: &job.name,
            namespace: &job.namespace,
            datacenters: &job.datacenters,
            node_pool: &job.node_pool,
            kind: job.kind.as_str(),
            priority: job.priority,
            periodic: false,
            parameterized_job: false,
            stop: record.stop,
            status: state.job_status(&record.key).as_str(),
            status_description: "",
            job_summary: JobSummary::of(state, record),
            create_index: record.create_index,
            modify_index: record.modify_index,
            job_modify_index: record.job_modify_index,
            submit_time: version.submitted_at.nanoseconds(),
            meta: with_meta.then_some(&job.meta),
        }
    }
}

/// A row of the list of jobs with their allocations, which a page of the UI needs.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::http) struct JobStatusRow<'a> {
    #[serde(rename = "ID")]
    id: &'a str,
    namespace: &'a str,
    name: &'a str,
    #[serde(rename = "Type")]
    kind: &'static str,
    node_pool: &'a str,
    datacenters: &'a [String],
    priority: u32,
    version: u64,
    submit_time: i64,
    modify_index: Index,
    allocs: Vec<AllocationCell<'a>>,
    group_count_sum: u64,
    child_statuses: [String; 0],
    #[serde(rename = "ParentID")]
    parent_id: &'static str,
    latest_deployment: Option<DeploymentCell<'a>>,
    stop: bool,
    is_pack: bool,
    status: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct AllocationCell<'a> {
    #[serde(rename = "ID")]
    id: String,
    group: &'a str,
    client_status: &'static str,
    #[serde(rename = "NodeID")]
    node_id: String,
    deployment_status: HealthCell,
    job_version: u64,
    #[serde(rename = "FollowupEvalID")]
    followup_eval_id: String,
    has_paused_task: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct HealthCell {
    canary: bool,
    healthy: Option<bool>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct DeploymentCell<'a> {
    #[serde(rename = "ID")]
    id: String,
    is_active: bool,
    job_version: u64,
    status: &'static str,
    status_description: &'a str,
    all_auto_promote: bool,
    requires_promotion: bool,
}

impl<'a> JobStatusRow<'a> {
    /// The row of a job.
    pub(in crate::http) fn of(state: &'a State, record: &'a JobRecord) -> Self {
        let version = record.current();
        let job = &version.job;
        let cell = |allocation: &'a model::Allocation| AllocationCell {
            id: allocation.id.to_string(),
            group: &allocation.group,
            client_status: shown_status(state, allocation).client,
            node_id: allocation.node.to_string(),
            deployment_status: HealthCell { canary: allocation.canary, healthy: allocation.healthy },
            job_version: allocation.job_version,
            followup_eval_id: allocation.ties().follow_up.map(|id| id.to_string()).unwrap_or_default(),
            has_paused_task: false,
        };
        Self {
            id: &job.id,
            namespace: &job.namespace,
            name: &job.name,
            kind: job.kind.as_str(),
            node_pool: &job.node_pool,
            datacenters: &job.datacenters,
            priority: job.priority,
            version: version.version,
            submit_time: version.submitted_at.nanoseconds(),
            modify_index: super::summary::index(state, record),
            allocs: state.allocations_of_job(&record.key).map(|allocation| cell(allocation)).collect(),
            group_count_sum: job.groups.iter().map(|group| u64::from(group.count)).sum(),
            child_statuses: [],
            parent_id: "",
            latest_deployment: state.latest_deployment(&record.key).map(|known| deployment_cell(known)),
            stop: record.stop,
            is_pack: job.meta.contains_key("pack.name"),
            status: state.job_status(&record.key).as_str(),
        }
    }
}

fn deployment_cell(deployment: &Deployment) -> DeploymentCell<'_> {
    let canaries = || deployment.groups.values().filter(|group| group.desired_canaries > 0);
    DeploymentCell {
        id: deployment.id.to_string(),
        is_active: deployment.status.is_active(),
        job_version: deployment.job_version,
        status: deployment.status.as_str(),
        status_description: &deployment.description,
        all_auto_promote: canaries().count() > 0 && canaries().all(|group| group.auto_promote),
        requires_promotion: deployment.status == DeploymentStatus::Running && deployment.requires_promotion(),
    }
}
