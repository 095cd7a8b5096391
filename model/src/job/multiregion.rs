//! A job that runs in several regions.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Runs the job in several regions.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Multiregion {
    /// How the regions follow one another.
    pub strategy: Option<RegionStrategy>,
    /// The regions.
    #[serde(with = "crate::null")]
    pub regions: Vec<JobRegion>,
}

/// How the regions of a job follow one another.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct RegionStrategy {
    /// Regions that roll out at a time; 0 for all.
    pub max_parallel: u32,
    /// What the failure of one region means for the others, such as `fail_all`.
    pub on_failure: String,
}

/// A region of a job, with its own counts.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct JobRegion {
    /// The region.
    pub name: String,
    /// Instances for groups that give no count; 0 for the group's own.
    pub count: u32,
    /// Datacenters, in place of the job's.
    #[serde(with = "crate::null")]
    pub datacenters: Vec<String>,
    /// The node pool, in place of the job's.
    pub node_pool: String,
    /// Free key-value pairs, beside the job's.
    #[serde(with = "crate::null")]
    pub meta: BTreeMap<String, String>,
}
