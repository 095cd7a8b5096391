//! The answers to `why`.

use std::collections::BTreeMap;

use serde::Deserialize;

/// Why a job does not run everywhere it should, group by group.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Explanation {
    #[serde(rename = "JobID")]
    pub job_id: String,
    pub job_version: u64,
    pub groups: Vec<GroupExplanation>,
}

/// One group.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct GroupExplanation {
    pub group: String,
    pub desired: u64,
    pub running: u64,
    pub unplaced: u64,
    pub blocked_eval: String,
    /// Nanoseconds since 1970; 0 where nothing is blocked.
    pub blocked_since: i64,
    /// What caused the evaluation that found no room first.
    pub blocked_cause: String,
    /// When it was last tried again, in nanoseconds since 1970; 0 for never.
    pub blocked_tried_at: i64,
    /// Name of the node that had gained room before that.
    pub blocked_tried_after: String,
    pub waits: Vec<Wait>,
    pub ask: Ask,
    pub nodes_total: u64,
    pub nodes_filtered: u64,
    pub nodes_exhausted: u64,
    pub nodes_fit: u64,
    pub reasons: Vec<Reason>,
    pub nodes: Vec<NodeVerdict>,
    pub hints: Vec<String>,
}

/// What a group waits for, apart from room.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Wait {
    /// `all-at-once`, `promotion`, `canaries`, `paused`, `rollout`, `ended`, `retry` or `given-up`.
    pub kind: String,
    /// The groups that lack room.
    pub groups: Vec<String>,
    #[serde(rename = "AllocID")]
    pub alloc_id: String,
    /// The instance that failed, `web.web[0]`.
    pub name: String,
    /// When it is tried again, in nanoseconds since 1970.
    pub until: i64,
    pub healthy: u64,
    pub wanted: u64,
}

/// Amounts in MHz and MiB.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Ask {
    #[serde(rename = "CPU")]
    pub cpu: u64,
    #[serde(rename = "MemoryMB")]
    pub memory_mb: u64,
    #[serde(rename = "MemoryMaxMB")]
    pub memory_max_mb: u64,
    #[serde(rename = "DiskMB")]
    pub disk_mb: u64,
    /// Cores that are had alone.
    #[serde(rename = "Cores")]
    pub cores: u64,
    /// Devices, each with how many.
    #[serde(rename = "Devices")]
    pub devices: BTreeMap<String, u64>,
}

/// How many nodes gave one reason.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Reason {
    pub reason: String,
    pub nodes: u64,
    /// Whether it excludes a node for good; otherwise the node is merely full.
    pub filter: bool,
}

/// One node and everything that speaks against it.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct NodeVerdict {
    #[serde(rename = "ID")]
    pub id: String,
    pub name: String,
    pub fits: bool,
    pub reasons: Vec<String>,
    /// What it is worth, where it fits.
    pub score: Option<Score>,
    /// Its place among the nodes that fit; 0 where it does not.
    pub rank: u64,
}

/// What a node is worth: larger is better, and the parts are added.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Score {
    pub total: f64,
    pub parts: BTreeMap<String, f64>,
}

/// One node looked at for one job.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct JobOnNode {
    pub node_name: String,
    #[serde(rename = "JobID")]
    pub job_id: String,
    pub job_version: u64,
    pub groups: Vec<GroupOnNode>,
}

/// One node looked at for one group.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct GroupOnNode {
    pub group: String,
    /// Names of the instances that are there.
    pub instances: Vec<String>,
    pub fits: bool,
    pub checks: Vec<Check>,
    pub score: Option<Score>,
    pub rank: u64,
    pub nodes_fit: u64,
    pub best: Option<Best>,
}

/// One thing that is asked of a node.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Check {
    pub name: String,
    pub ok: bool,
    pub wanted: String,
    pub has: String,
    pub reason: String,
}

/// The node that an instance would be given.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Best {
    pub node_name: String,
    pub score: Score,
}

/// One node looked at alone.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct NodeAlone {
    pub node_name: String,
    pub open: bool,
    /// What closes it to new work.
    pub closed: Vec<String>,
    pub capacity: Ask,
    pub held: Ask,
    pub free: Ask,
    pub allocations: Vec<Holding>,
    pub blocked: Vec<BlockedThere>,
    pub blocked_total: u64,
}

/// What an allocation holds of a node.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Holding {
    #[serde(rename = "ID")]
    pub id: String,
    pub name: String,
    pub client_status: String,
    pub holds: Ask,
}

/// A group that waits for room.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct BlockedThere {
    #[serde(rename = "JobID")]
    pub job_id: String,
    pub group: String,
    pub unplaced: u64,
    pub fits: bool,
    pub reasons: Vec<String>,
}
