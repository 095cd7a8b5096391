//! Why a job does not run everywhere it should. Ours: Nomad has no such answer.

use model::{Index, ReasonCount};
use serde::Serialize;
use server_core::why::{GroupWhy, NodeWhy, Why};

/// The explanation of a job.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::http) struct WhyView<'a> {
    #[serde(rename = "JobID")]
    job_id: &'a str,
    namespace: &'a str,
    job_version: u64,
    index: Index,
    groups: Vec<Group<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Group<'a> {
    group: &'a str,
    desired: u32,
    running: u32,
    unplaced: u32,
    blocked_eval: Option<String>,
    blocked_since: Option<i64>,
    ask: Ask,
    nodes_total: u32,
    nodes_filtered: u32,
    nodes_exhausted: u32,
    nodes_fit: u32,
    reasons: Vec<Reason<'a>>,
    nodes: Vec<Node<'a>>,
    hints: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Ask {
    #[serde(rename = "CPU")]
    cpu: u64,
    #[serde(rename = "MemoryMB")]
    memory_mb: u64,
    #[serde(rename = "MemoryMaxMB")]
    memory_max_mb: u64,
    #[serde(rename = "DiskMB")]
    disk_mb: u64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Reason<'a> {
    reason: &'a str,
    nodes: u32,
    filter: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Node<'a> {
    #[serde(rename = "ID")]
    id: String,
    name: &'a str,
    fits: bool,
    reasons: Vec<String>,
}

impl<'a> WhyView<'a> {
    /// An explanation.
    pub(in crate::http) fn of(why: &'a Why) -> Self {
        Self {
            job_id: &why.job.id,
            namespace: &why.job.namespace,
            job_version: why.job_version,
            index: why.index,
            groups: why.groups.iter().map(Group::of).collect(),
        }
    }
}

impl<'a> Group<'a> {
    fn of(group: &'a GroupWhy) -> Self {
        let reason =
            |(reason, count): (&'a String, &ReasonCount)| Reason { reason, nodes: count.nodes, filter: count.filter };
        Self {
            group: &group.group,
            desired: group.desired,
            running: group.running,
            unplaced: group.unplaced,
            blocked_eval: group.blocked.map(|blocked| blocked.evaluation.to_string()),
            blocked_since: group.blocked.map(|blocked| blocked.since.nanoseconds()),
            ask: Ask {
                cpu: group.ask.cpu_mhz,
                memory_mb: group.ask.memory_mb,
                memory_max_mb: group.ask.memory_max_mb,
                disk_mb: group.ask.disk_mb,
            },
            nodes_total: group.nodes_total,
            nodes_filtered: group.nodes_filtered,
            nodes_exhausted: group.nodes_exhausted,
            nodes_fit: group.nodes_fit,
            reasons: group.reasons.iter().map(reason).collect(),
            nodes: group.nodes.iter().map(Node::of).collect(),
            hints: group.hints.iter().map(ToString::to_string).collect(),
        }
    }
}

impl<'a> Node<'a> {
    fn of(node: &'a NodeWhy) -> Self {
        Self {
            id: node.id.to_string(),
            name: &node.name,
            fits: node.misfits.is_empty(),
            reasons: node.misfits.iter().map(ToString::to_string).collect(),
        }
    }
}
