//! Volumes that were made or registered while the cluster runs, and claims to sticky volumes.

use std::collections::BTreeMap;

use model::{Constraint, DynamicVolume, Index, VolumeCapability, VolumeClaim};
use serde::Serialize;
use server_core::state::State;

use super::allocation::AllocationStub;

/// A volume.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::http) struct VolumeView<'a> {
    #[serde(flatten)]
    stub: VolumeStub<'a>,
    constraints: &'a [Constraint],
    requested_capacity_min_bytes: u64,
    requested_capacity_max_bytes: u64,
    requested_capabilities: Vec<CapabilityView>,
    parameters: &'a BTreeMap<String, String>,
    host_path: &'a str,
    allocations: Vec<AllocationStub<'a>>,
}

/// A volume in a list.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::http) struct VolumeStub<'a> {
    #[serde(rename = "ID")]
    id: String,
    name: &'a str,
    namespace: &'a str,
    #[serde(rename = "PluginID")]
    plugin_id: &'a str,
    node_pool: &'a str,
    #[serde(rename = "NodeID")]
    node_id: String,
    capacity_bytes: u64,
    state: &'static str,
    create_index: Index,
    create_time: i64,
    modify_index: Index,
    modify_time: i64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct CapabilityView {
    attachment_mode: &'static str,
    access_mode: &'static str,
}

impl<'a> VolumeView<'a> {
    /// `volume` with the allocations that hold it.
    pub(in crate::http) fn of(state: &'a State, volume: &'a DynamicVolume) -> Self {
        let capability = |capability: &VolumeCapability| CapabilityView {
            attachment_mode: capability.attachment.as_str(),
            access_mode: capability.access.as_str(),
        };
        Self {
            stub: VolumeStub::of(state, volume),
            constraints: &volume.constraints,
            requested_capacity_min_bytes: volume.capacity_min_bytes,
            requested_capacity_max_bytes: volume.capacity_max_bytes,
            requested_capabilities: volume.capabilities.iter().map(capability).collect(),
            parameters: &volume.parameters,
            host_path: &volume.host_path,
            allocations: state
                .users_of_volume(volume)
                .map(|user| AllocationStub::of(state, user, false, false))
                .collect(),
        }
    }
}

impl<'a> VolumeStub<'a> {
    /// `volume` in short.
    pub(in crate::http) fn of(state: &State, volume: &'a DynamicVolume) -> Self {
        Self {
            id: volume.id.to_string(),
            name: &volume.name,
            namespace: &volume.namespace,
            plugin_id: &volume.plugin,
            node_pool: &volume.node_pool,
            node_id: volume.node.to_string(),
            capacity_bytes: volume.capacity_bytes,
            state: state.volume_status(volume).as_str(),
            create_index: volume.create_index,
            create_time: volume.created_at.nanoseconds(),
            modify_index: volume.modify_index,
            modify_time: volume.modified_at.nanoseconds(),
        }
    }
}

/// What an instance has come to have of a sticky volume.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::http) struct ClaimView<'a> {
    #[serde(rename = "ID")]
    id: String,
    namespace: &'a str,
    #[serde(rename = "JobID")]
    job_id: &'a str,
    task_group_name: &'a str,
    index: u32,
    #[serde(rename = "AllocID")]
    alloc_id: String,
    #[serde(rename = "NodeID")]
    node_id: String,
    #[serde(rename = "VolumeID")]
    volume_id: String,
    volume_name: &'a str,
    create_index: Index,
    modify_index: Index,
}

impl<'a> ClaimView<'a> {
    /// A claim.
    pub(in crate::http) fn of(claim: &'a VolumeClaim) -> Self {
        Self {
            id: claim.id.to_string(),
            namespace: &claim.key.job.namespace,
            job_id: &claim.key.job.id,
            task_group_name: &claim.key.group,
            index: claim.key.index,
            alloc_id: claim.allocation.to_string(),
            node_id: claim.node.to_string(),
            volume_id: claim.volume.map(|id| id.to_string()).unwrap_or_default(),
            volume_name: &claim.key.source,
            create_index: claim.create_index,
            modify_index: claim.modify_index,
        }
    }
}
