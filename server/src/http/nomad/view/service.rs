//! Instances of services, of which Nomad's dialect shows those that pass.

use model::{Index, Instance, InstanceState};
use serde::Serialize;
use server_core::state::{ServiceRow, State};

/// An instance that answers.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::http) struct Registration<'a> {
    #[serde(rename = "ID")]
    id: &'a str,
    service_name: &'a str,
    namespace: &'a str,
    #[serde(rename = "NodeID")]
    node_id: String,
    datacenter: &'a str,
    #[serde(rename = "JobID")]
    job_id: &'a str,
    #[serde(rename = "AllocID")]
    alloc_id: String,
    tags: &'a [String],
    address: &'a str,
    port: u16,
    create_index: Index,
    modify_index: Index,
}

impl<'a> Registration<'a> {
    /// An instance of a service whose row last changed at `modify_index`.
    pub(in crate::http) fn of(state: &State, instance: &'a Instance, modify_index: Index) -> Self {
        let allocation = state.allocation(instance.allocation);
        Self {
            id: &instance.id,
            service_name: &instance.service,
            namespace: &instance.job.namespace,
            node_id: instance.node.to_string(),
            datacenter: &instance.datacenter,
            job_id: &instance.job.id,
            alloc_id: instance.allocation.to_string(),
            tags: &instance.tags,
            address: &instance.address,
            port: instance.port,
            create_index: allocation.map_or(modify_index, |allocation| allocation.create_index),
            modify_index,
        }
    }
}

/// The instances of a row that answer.
pub(in crate::http) fn passing(row: &ServiceRow) -> impl Iterator<Item = &Instance> {
    row.instances.values().filter(|instance| instance.state == InstanceState::Passing)
}
