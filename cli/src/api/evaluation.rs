//! Evaluations and why instances were not placed.

use std::collections::BTreeMap;

use serde::Deserialize;

/// An evaluation.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Evaluation {
    #[serde(rename = "ID")]
    pub id: String,
    /// The type of its job.
    #[serde(rename = "Type")]
    pub kind: String,
    pub priority: i64,
    pub triggered_by: String,
    #[serde(rename = "JobID")]
    pub job_id: String,
    #[serde(rename = "DeploymentID")]
    pub deployment_id: String,
    pub status: String,
    pub status_description: String,
    pub next_eval: String,
    pub blocked_eval: String,
    #[serde(rename = "FailedTGAllocs")]
    pub failed_groups: BTreeMap<String, Metric>,
    pub create_index: u64,
    pub modify_index: u64,
    pub create_time: i64,
}

impl Evaluation {
    /// Whether nothing more will come of it. A blocked one waits for room.
    pub fn is_terminal(&self) -> bool {
        matches!(self.status.as_str(), "complete" | "failed" | "canceled" | "cancelled" | "blocked")
    }
}

/// What stood against placing instances of one group, summed over nodes.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Metric {
    pub nodes_evaluated: u64,
    pub nodes_filtered: u64,
    pub nodes_in_pool: u64,
    pub nodes_exhausted: u64,
    pub class_filtered: BTreeMap<String, u64>,
    pub constraint_filtered: BTreeMap<String, u64>,
    pub dimension_exhausted: BTreeMap<String, u64>,
    pub coalesced_failures: u64,
}

impl Metric {
    /// Instances that found no node.
    pub fn unplaced(&self) -> u64 {
        self.coalesced_failures + 1
    }
}
