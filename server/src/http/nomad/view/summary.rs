//! How many instances of a job's groups are in which state.

use std::collections::BTreeMap;

use model::{Evaluation, EvaluationStatus, Index, JobKey};
use serde::Serialize;
use server_core::state::{JobRecord, State};

use super::allocation::shown_status;

/// The counts of a job.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::http) struct JobSummary {
    #[serde(rename = "JobID")]
    job_id: String,
    namespace: String,
    /// By group.
    pub(in crate::http) summary: BTreeMap<String, GroupSummary>,
    children: Children,
    create_index: Index,
    modify_index: Index,
}

/// The counts of a group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::http) struct GroupSummary {
    pub(in crate::http) queued: u32,
    pub(in crate::http) complete: u32,
    pub(in crate::http) failed: u32,
    pub(in crate::http) running: u32,
    pub(in crate::http) starting: u32,
    pub(in crate::http) lost: u32,
    pub(in crate::http) unknown: u32,
}

/// Jobs that a job made; there are none in this release.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Children {
    pending: u32,
    running: u32,
    dead: u32,
}

impl JobSummary {
    /// The counts of a job at `state`.
    pub(in crate::http) fn of(state: &State, record: &JobRecord) -> Self {
        let names = record.current().job.groups.iter().map(|group| group.name.clone());
        let mut summary: BTreeMap<String, GroupSummary> = names.map(|name| (name, GroupSummary::default())).collect();
        for (group, queued) in newest_decided(state, &record.key).iter().flat_map(|known| &known.queued) {
            summary.entry(group.clone()).or_default().queued = *queued;
        }
        for allocation in state.allocations_of_job(&record.key) {
            let group = summary.entry(allocation.group.clone()).or_default();
            let count = match shown_status(state, allocation).client {
                "pending" => &mut group.starting,
                "running" => &mut group.running,
                "complete" => &mut group.complete,
                "failed" => &mut group.failed,
                "lost" => &mut group.lost,
                _ => &mut group.unknown,
            };
            *count += 1;
        }
        Self {
            job_id: record.key.id.to_string(),
            namespace: record.key.namespace.to_string(),
            summary,
            children: Children::default(),
            create_index: record.create_index,
            modify_index: index(state, record),
        }
    }
}

/// Index at which anything of the job last changed: the document, its allocations, evaluations or deployments.
pub(in crate::http) fn index(state: &State, record: &JobRecord) -> Index {
    let allocations = state.allocations_of_job(&record.key).map(|known| known.modify_index);
    let evaluations = state.evaluations_of_job(&record.key).map(|known| known.modify_index);
    let deployment = state.latest_deployment(&record.key).map(|known| known.modify_index);
    allocations.chain(evaluations).chain(deployment).fold(record.modify_index, Index::max)
}

/// The newest evaluation of the job that the planner has looked at: it knows what waits.
fn newest_decided<'a>(state: &'a State, key: &JobKey) -> Option<&'a Evaluation> {
    let decided = state.evaluations_of_job(key).filter(|known| match known.status {
        EvaluationStatus::Blocked | EvaluationStatus::Complete | EvaluationStatus::Failed => true,
        EvaluationStatus::Pending | EvaluationStatus::Canceled => false,
    });
    decided.max_by_key(|known| known.modify_index).map(|known| &**known)
}
