//! What nodes have, have promised, and use: our own view, drawn by the placement map.

use std::collections::BTreeMap;

use model::{Allocation, Index, Node, NodeId, Resources, Usage};
use serde::Serialize;
use server_core::state::State;

use super::allocation::shown_status;

/// All nodes.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::http) struct NodesUsage<'a> {
    index: Index,
    nodes: Vec<NodeUsage<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct NodeUsage<'a> {
    #[serde(rename = "ID")]
    id: String,
    name: &'a str,
    datacenter: &'a str,
    pool: &'a str,
    /// Our own word, so that `suspect` is told.
    status: &'static str,
    eligibility: &'static str,
    drain: bool,
    total: Amounts,
    /// By allocations.
    reserved: Amounts,
    used: Option<Amounts>,
    allocations: Vec<AllocationUsage<'a>>,
}

/// MHz and MiB.
#[derive(Debug, Serialize)]
struct Amounts {
    #[serde(rename = "CPU")]
    cpu: u64,
    #[serde(rename = "MemoryMB")]
    memory_mb: u64,
    /// Of what is promised, the sum of `memory_max`; of a node's total, what that sum may reach. Not measured.
    #[serde(rename = "MemoryMaxMB", skip_serializing_if = "Option::is_none")]
    memory_max_mb: Option<u64>,
}

impl Amounts {
    fn promised(of: Resources) -> Self {
        Self { cpu: of.cpu_mhz, memory_mb: of.memory_mb, memory_max_mb: Some(of.memory_max_mb) }
    }

    fn measured(of: &Usage) -> Self {
        Self { cpu: of.cpu_mhz, memory_mb: of.memory_mb, memory_max_mb: None }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct AllocationUsage<'a> {
    #[serde(rename = "ID")]
    id: String,
    name: String,
    #[serde(rename = "JobID")]
    job_id: &'a str,
    namespace: &'a str,
    task_group: &'a str,
    client_status: &'static str,
    #[serde(rename = "CPU")]
    cpu: u64,
    #[serde(rename = "MemoryMB")]
    memory_mb: u64,
    #[serde(rename = "UsedMemoryMB")]
    used_memory_mb: Option<u64>,
    #[serde(rename = "UsedCPU")]
    used_cpu: Option<u64>,
}

impl<'a> NodesUsage<'a> {
    /// The nodes that `is_seen`, with what their agents measured.
    pub(in crate::http) fn of(
        state: &'a State,
        used: &BTreeMap<NodeId, Usage>,
        is_seen: impl Fn(NodeId) -> bool,
    ) -> Self {
        let seen = state.nodes().filter(|node| is_seen(node.id));
        Self { index: state.index(), nodes: seen.map(|node| node_usage(state, node, used.get(&node.id))).collect() }
    }
}

fn node_usage<'a>(state: &'a State, node: &'a Node, used: Option<&Usage>) -> NodeUsage<'a> {
    let holding = state.allocations_of_node(node.id).filter(|allocation| allocation.holds());
    NodeUsage {
        id: node.id.to_string(),
        name: &node.name,
        datacenter: &node.datacenter,
        pool: &node.pool,
        status: node.status.as_str(),
        eligibility: node.eligibility.as_str(),
        drain: node.drain.is_some(),
        total: Amounts::promised(node.capacity()),
        reserved: Amounts::promised(state.node_use(node.id).held),
        used: used.map(Amounts::measured),
        allocations: holding.map(|allocation| allocation_usage(state, allocation, used)).collect(),
    }
}

fn allocation_usage<'a>(state: &State, allocation: &'a Allocation, used: Option<&Usage>) -> AllocationUsage<'a> {
    let used = used.and_then(|used| used.allocations.get(&allocation.id));
    AllocationUsage {
        id: allocation.id.to_string(),
        name: allocation.name(),
        job_id: &allocation.job.id,
        namespace: &allocation.job.namespace,
        task_group: &allocation.group,
        client_status: shown_status(state, allocation).client,
        cpu: allocation.resources.cpu_mhz,
        memory_mb: allocation.resources.memory_mb,
        used_memory_mb: used.map(|(_, memory_mb)| *memory_mb),
        used_cpu: used.map(|(cpu_mhz, _)| *cpu_mhz),
    }
}
