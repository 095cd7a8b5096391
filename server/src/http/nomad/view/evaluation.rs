//! Evaluations. Nomad leaves fields out that are empty, and so do we.

use std::collections::BTreeMap;

use model::{Evaluation, EvaluationId, Index};
use serde::Serialize;
use server_core::state::State;

use super::metric::Metric;
use super::time::GoTime;

/// An evaluation.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::http) struct EvaluationView<'a> {
    #[serde(rename = "ID")]
    id: String,
    namespace: &'a str,
    priority: u32,
    #[serde(rename = "Type")]
    kind: &'static str,
    triggered_by: &'static str,
    #[serde(rename = "JobID")]
    job_id: &'a str,
    #[serde(rename = "NodeID", skip_serializing_if = "Option::is_none")]
    node_id: Option<String>,
    #[serde(rename = "DeploymentID", skip_serializing_if = "Option::is_none")]
    deployment_id: Option<String>,
    status: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    status_description: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    wait_until: Option<GoTime>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_eval: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_eval: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    blocked_eval: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    related_evals: Option<Vec<Related<'a>>>,
    #[serde(rename = "FailedTGAllocs", skip_serializing_if = "BTreeMap::is_empty")]
    failed_groups: BTreeMap<&'a str, Metric<'a>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    queued_allocations: &'a BTreeMap<String, u32>,
    snapshot_index: Index,
    create_index: Index,
    modify_index: Index,
    create_time: i64,
    modify_time: i64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Related<'a> {
    #[serde(rename = "ID")]
    id: String,
    priority: u32,
    #[serde(rename = "Type")]
    kind: &'static str,
    triggered_by: &'static str,
    namespace: &'a str,
    #[serde(rename = "JobID")]
    job_id: &'a str,
    status: &'static str,
    status_description: &'a str,
    next_eval: String,
    previous_eval: String,
    blocked_eval: String,
    create_index: Index,
    modify_index: Index,
}

fn text(id: Option<EvaluationId>) -> Option<String> {
    id.map(|id| id.to_string())
}

impl<'a> EvaluationView<'a> {
    /// An evaluation.
    pub(in crate::http) fn of(evaluation: &'a Evaluation) -> Self {
        Self {
            id: evaluation.id.to_string(),
            namespace: &evaluation.job.namespace,
            priority: evaluation.priority,
            kind: evaluation.kind.as_str(),
            triggered_by: evaluation.trigger.as_str(),
            job_id: &evaluation.job.id,
            node_id: evaluation.node.map(|id| id.to_string()),
            deployment_id: evaluation.deployment.map(|id| id.to_string()),
            status: evaluation.status.as_str(),
            status_description: &evaluation.description,
            wait_until: evaluation.wait_until.map(|at| GoTime(Some(at))),
            next_eval: text(evaluation.next),
            previous_eval: text(evaluation.previous),
            blocked_eval: text(evaluation.blocked),
            related_evals: None,
            failed_groups: evaluation.unplaced.iter().map(|(group, why)| (group.as_str(), Metric::of(why))).collect(),
            queued_allocations: &evaluation.queued,
            snapshot_index: evaluation.snapshot_index,
            create_index: evaluation.create_index,
            modify_index: evaluation.modify_index,
            create_time: evaluation.created_at.nanoseconds(),
            modify_time: evaluation.modified_at.nanoseconds(),
        }
    }

    /// An evaluation with those that it came from, made, or is blocked in.
    pub(in crate::http) fn with_related(state: &'a State, evaluation: &'a Evaluation) -> Self {
        let related = |other: &&'a std::sync::Arc<Evaluation>| {
            let named = [evaluation.next, evaluation.previous, evaluation.blocked].contains(&Some(other.id));
            let names = [other.next, other.previous, other.blocked].contains(&Some(evaluation.id));
            other.id != evaluation.id && (named || names)
        };
        let related = state.evaluations_of_job(&evaluation.job).filter(related).map(|other| Related::of(other));
        Self { related_evals: Some(related.collect()), ..Self::of(evaluation) }
    }
}

impl<'a> Related<'a> {
    fn of(evaluation: &'a Evaluation) -> Self {
        Self {
            id: evaluation.id.to_string(),
            priority: evaluation.priority,
            kind: evaluation.kind.as_str(),
            triggered_by: evaluation.trigger.as_str(),
            namespace: &evaluation.job.namespace,
            job_id: &evaluation.job.id,
            status: evaluation.status.as_str(),
            status_description: &evaluation.description,
            next_eval: text(evaluation.next).unwrap_or_default(),
            previous_eval: text(evaluation.previous).unwrap_or_default(),
            blocked_eval: text(evaluation.blocked).unwrap_or_default(),
            create_index: evaluation.create_index,
            modify_index: evaluation.modify_index,
        }
    }
}
