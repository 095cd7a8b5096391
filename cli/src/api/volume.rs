//! Volumes of hosts, and what instances claim of sticky ones.

use serde::Deserialize;

use super::Allocation;

/// A volume, as a list or by itself.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Volume {
    #[serde(rename = "ID")]
    pub id: String,
    pub name: String,
    pub namespace: String,
    #[serde(rename = "PluginID")]
    pub plugin_id: String,
    pub node_pool: String,
    #[serde(rename = "NodeID")]
    pub node_id: String,
    pub capacity_bytes: u64,
    pub state: String,
    pub host_path: String,
    pub requested_capabilities: Vec<Capability>,
    pub allocations: Vec<Allocation>,
}

/// A way to use a volume.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Capability {
    pub access_mode: String,
    pub attachment_mode: String,
}

/// What an instance has come to have of a sticky volume.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct VolumeClaim {
    #[serde(rename = "ID")]
    pub id: String,
    pub namespace: String,
    #[serde(rename = "JobID")]
    pub job_id: String,
    pub task_group_name: String,
    pub index: u32,
    #[serde(rename = "NodeID")]
    pub node_id: String,
    pub volume_name: String,
}
