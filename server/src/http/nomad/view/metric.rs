//! Why instances of a group were not placed, in Nomad's counts, with ours beside them.

use std::collections::BTreeMap;

use model::{NearMiss, Unplaced};
use serde::Serialize;

/// The counts of one group.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::http) struct Metric<'a> {
    nodes_evaluated: u32,
    nodes_filtered: u32,
    /// Nodes that were ready and in the job's datacenters and pool.
    nodes_in_pool: u32,
    nodes_available: &'a BTreeMap<String, u32>,
    class_filtered: BTreeMap<String, u32>,
    constraint_filtered: BTreeMap<&'a str, u32>,
    nodes_exhausted: u32,
    class_exhausted: BTreeMap<String, u32>,
    dimension_exhausted: BTreeMap<&'a str, u32>,
    quota_exhausted: [String; 0],
    /// Instances that found no node, less the first.
    coalesced_failures: u32,
    /// The nodes that came closest; not in Nomad's JSON.
    nearest: Vec<Near<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Near<'a> {
    #[serde(rename = "NodeID")]
    node_id: String,
    node_name: &'a str,
    reasons: Vec<String>,
}

impl<'a> Metric<'a> {
    /// The counts of a group.
    pub(in crate::http) fn of(unplaced: &'a Unplaced) -> Self {
        let reasons = |filter: bool| {
            let of_kind = unplaced.reasons.iter().filter(move |(_, count)| count.filter == filter);
            of_kind.map(|(reason, count)| (reason.as_str(), count.nodes)).collect()
        };
        let near = |miss: &'a NearMiss| Near {
            node_id: miss.node.to_string(),
            node_name: &miss.node_name,
            reasons: miss.misfits.iter().map(ToString::to_string).collect(),
        };
        Self {
            nodes_evaluated: unplaced.nodes_total,
            nodes_filtered: unplaced.nodes_filtered,
            nodes_in_pool: unplaced.nodes_available.values().sum(),
            nodes_available: &unplaced.nodes_available,
            class_filtered: BTreeMap::new(),
            constraint_filtered: reasons(true),
            nodes_exhausted: unplaced.nodes_exhausted,
            class_exhausted: BTreeMap::new(),
            dimension_exhausted: reasons(false),
            quota_exhausted: [],
            coalesced_failures: unplaced.count.saturating_sub(1),
            nearest: unplaced.nearest.iter().map(near).collect(),
        }
    }
}
