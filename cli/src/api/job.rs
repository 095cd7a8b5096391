//! Jobs.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::api::Diff;

/// A job as far as commands show it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Job {
    #[serde(rename = "ID")]
    pub id: String,
    pub name: String,
    pub namespace: String,
    #[serde(rename = "Type")]
    pub kind: String,
    pub priority: i64,
    pub datacenters: Vec<String>,
    pub node_pool: String,
    pub status: String,
    pub status_description: String,
    pub stop: bool,
    pub stable: bool,
    pub version: u64,
    /// Nanoseconds since 1970.
    pub submit_time: i64,
    pub create_index: u64,
    pub job_modify_index: u64,
}

/// A row of the list of jobs.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct JobStub {
    #[serde(rename = "ID")]
    pub id: String,
    pub namespace: String,
    #[serde(rename = "Type")]
    pub kind: String,
    pub priority: i64,
    pub status: String,
    pub stop: bool,
    pub submit_time: i64,
    pub job_summary: Summary,
}

/// Instances of each group, counted by state.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Summary {
    pub summary: BTreeMap<String, GroupSummary>,
}

/// Instances of one group, counted by state.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct GroupSummary {
    pub queued: u64,
    pub complete: u64,
    pub failed: u64,
    pub running: u64,
    pub starting: u64,
    pub lost: u64,
    pub unknown: u64,
}

/// The versions of a job, newest first, and what each changed.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Versions {
    pub versions: Vec<Job>,
    pub diffs: Vec<Diff>,
}
