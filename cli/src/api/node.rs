//! Nodes, what they hold, and drains.

use std::collections::BTreeMap;

use serde::Deserialize;

/// A node, full or as a row of a list.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Node {
    #[serde(rename = "ID")]
    pub id: String,
    pub name: String,
    pub address: String,
    #[serde(rename = "HTTPAddr")]
    pub http_addr: String,
    pub datacenter: String,
    pub node_pool: String,
    pub node_class: String,
    pub version: String,
    pub drain: bool,
    pub scheduling_eligibility: String,
    pub status: String,
    pub status_description: String,
    pub attributes: BTreeMap<String, String>,
    pub meta: BTreeMap<String, String>,
    pub drivers: BTreeMap<String, Driver>,
    pub events: Vec<NodeEvent>,
    pub node_resources: NodeResources,
    pub last_drain: LastDrain,
}

/// A driver as its agent last saw it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Driver {
    pub detected: bool,
    pub healthy: bool,
    pub health_description: String,
}

/// Something that happened to a node.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct NodeEvent {
    pub message: String,
    pub subsystem: String,
    pub timestamp: String,
}

/// What a node has.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct NodeResources {
    pub disk: Disk,
}

/// MiB.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Disk {
    #[serde(rename = "DiskMB")]
    pub disk_mb: u64,
}

/// The last drain.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct LastDrain {
    pub status: String,
    pub updated_at: String,
    pub meta: BTreeMap<String, String>,
}

/// What a node has, has promised and uses.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct NodeUsage {
    #[serde(rename = "ID")]
    pub id: String,
    pub name: String,
    pub total: Amounts,
    pub reserved: Amounts,
    /// Absent where the agent has not told yet.
    pub used: Option<Amounts>,
    pub allocations: Vec<serde_json::Value>,
}

/// MHz and MiB.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Amounts {
    #[serde(rename = "CPU")]
    pub cpu: u64,
    #[serde(rename = "MemoryMB")]
    pub memory_mb: u64,
}

/// How far a drain is.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct DrainStatus {
    #[serde(rename = "NodeID")]
    pub node_id: String,
    pub name: String,
    /// draining, complete, canceled or none.
    pub status: String,
    /// Nanoseconds since 1970; 0 without a deadline.
    pub deadline: i64,
    pub total: u64,
    pub gone: u64,
    pub allocations: Vec<DrainingAllocation>,
}

/// How far one allocation is.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default, rename_all = "PascalCase")]
pub struct DrainingAllocation {
    #[serde(rename = "ID")]
    pub id: String,
    pub name: String,
    /// waiting, migrating, stopping, gone or ignored.
    pub state: String,
    pub detail: String,
}
