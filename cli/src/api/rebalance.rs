//! What a rebalance would do, and how far one is.

use serde::Deserialize;

/// What a rebalance would do.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct RebalancePlan {
    pub check_index: u64,
    pub moves: Vec<RebalanceMove>,
    pub before: Balance,
    pub after: Balance,
    pub disruptions: Vec<Disruption>,
    pub kept_back: Vec<KeptBack>,
    pub looked_at: u64,
    pub cut_short: bool,
}

/// A rebalance that was begun.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Rebalance {
    /// none, running, cancelling, aborting, complete, cancelled or aborted.
    pub status: String,
    pub rebalance: u64,
    pub goal: String,
    pub description: String,
    pub total: u64,
    pub over: u64,
    pub moves: Vec<RebalanceMove>,
    /// Nanoseconds since 1970.
    pub started_at: i64,
}

/// One instance and where it shall go.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default, rename_all = "PascalCase")]
pub struct RebalanceMove {
    #[serde(rename = "AllocID")]
    pub alloc_id: String,
    pub name: String,
    pub from: String,
    pub to: String,
    pub gain: String,
    /// waiting, moving, done, skipped or failed.
    pub state: String,
    pub detail: String,
}

/// How well balanced a cluster is.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Balance {
    pub out_of_place: f64,
    pub crowded: u64,
    pub nodes_used: u64,
    pub fullest_percent: f64,
    pub emptiest_percent: f64,
    /// Only where a node shall be emptied.
    pub left: Option<u64>,
}

/// How many instances of a job would be replaced.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Disruption {
    #[serde(rename = "JobID")]
    pub job_id: String,
    pub namespace: String,
    pub moves: u64,
}

/// Instances that are not moved whatever it would bring.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct KeptBack {
    #[serde(rename = "JobID")]
    pub job_id: String,
    pub namespace: String,
    pub count: u64,
    pub reason: String,
}
