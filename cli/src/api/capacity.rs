//! What room there is, and what would fit if something were different.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Metric;
use super::explanation::Ask;

/// What there is, per datacenter, pool and class.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Overview {
    pub shares: Vec<Share>,
}

/// The nodes of one datacenter, pool and class.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Share {
    pub datacenter: String,
    pub node_pool: String,
    pub node_class: String,
    pub nodes: u64,
    /// Nodes that take new work.
    pub open: u64,
    pub total: Ask,
    pub held: Ask,
    /// On nodes that take new work.
    pub free: Ask,
    pub largest_memory: Option<Largest>,
    #[serde(rename = "LargestCPU")]
    pub largest_cpu: Option<Largest>,
}

/// The largest ask that still fits.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Largest {
    pub node_name: String,
    pub ask: Ask,
}

/// What would come of a change.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Foreseen {
    pub nodes_added: Vec<String>,
    pub moved: Vec<Moved>,
    pub job: Vec<Placed>,
    pub preempted: Vec<Preempted>,
    pub ask: Option<Placed>,
    pub room: Option<Room>,
    /// Whether something was left undecided, because it took too many plans.
    pub is_cut_short: bool,
}

/// A group that a change of nodes concerns.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Moved {
    #[serde(rename = "JobID")]
    pub job_id: String,
    pub group: String,
    /// Instances that ran on nodes that would be gone.
    pub displaced: u64,
    pub unplaced_before: u64,
    pub unplaced: u64,
    pub why: Option<Metric>,
}

/// What would become of a group's instances.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Placed {
    pub group: String,
    pub wanted: u64,
    pub placed: u64,
    /// Instances per node, by the nodes' names.
    pub nodes: BTreeMap<String, u64>,
    pub why: Option<Metric>,
}

/// An instance that would end to make room.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Preempted {
    pub name: String,
    pub node_name: String,
    pub by: String,
}

/// For how many instances there is room.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Room {
    pub instances: u64,
    /// Whether more may fit than are foreseen.
    pub is_limit: bool,
    pub nodes: BTreeMap<String, u64>,
    pub ends_first: String,
    /// What one more would lack.
    pub why: Option<Metric>,
}
