//! The answer to `why`.

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
    /// `promotion`, `canaries`, `paused`, `rollout`, `retry` or `given-up`.
    pub kind: String,
    #[serde(rename = "AllocID")]
    pub alloc_id: String,
    /// The instance that failed, `web.web[0]`.
    pub name: String,
    /// When it is tried again, in nanoseconds since 1970.
    pub until: i64,
    pub healthy: u64,
    pub wanted: u64,
}

/// What one instance asks for; MHz and MiB.
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
}
