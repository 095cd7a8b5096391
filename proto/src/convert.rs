//! Conversion between the wire's messages and the model's values, checked in the direction that comes from outside.

mod assignment;
mod equipment;
mod node;
mod observation;

use bytes::Bytes;
use model::{AllocationId, DeploymentId, DocumentId, JobKey, NodeId, VolumeId};
use thiserror::Error;

use crate::wire;

pub use assignment::{assignment_from_wire, assignment_to_wire};
pub use node::{node_from_wire, node_to_wire, usage_from_wire, usage_to_wire};
pub use observation::{observation_from_wire, observation_to_wire};

/// A message lacks something or holds something impossible.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("bad message: {field} {problem}")]
pub struct BadMessage {
    field: &'static str,
    problem: String,
}

impl BadMessage {
    fn new(field: &'static str, problem: impl Into<String>) -> Self {
        Self { field, problem: problem.into() }
    }
}

macro_rules! id_bytes {
    ($to:ident, $from:ident, $id:ident) => {
        /// The id as 16 bytes.
        pub fn $to(id: $id) -> Bytes {
            Bytes::copy_from_slice(id.as_bytes())
        }

        /// The id from 16 bytes.
        pub fn $from(field: &'static str, bytes: &[u8]) -> Result<$id, BadMessage> {
            let bytes: [u8; 16] = bytes
                .try_into()
                .map_err(|_| BadMessage::new(field, format!("has {} bytes instead of 16", bytes.len())))?;
            Ok($id::from_hash(bytes))
        }
    };
}

id_bytes!(allocation_to_bytes, allocation_from_bytes, AllocationId);
id_bytes!(node_to_bytes, node_from_bytes, NodeId);
id_bytes!(volume_to_bytes, volume_from_bytes, VolumeId);
id_bytes!(deployment_to_bytes, deployment_from_bytes, DeploymentId);

/// The name of one version of a job's document.
pub fn document_to_wire(document: &DocumentId) -> wire::JobVersion {
    let DocumentId { job, create_index, version } = document;
    wire::JobVersion {
        namespace: job.namespace.to_string(),
        id: job.id.to_string(),
        version: *version,
        create_index: *create_index,
    }
}

/// The name of one version of a job's document.
pub fn document_from_wire(document: &wire::JobVersion) -> DocumentId {
    let wire::JobVersion { namespace, id, version, create_index } = document;
    DocumentId { job: JobKey::new(namespace, id), create_index: *create_index, version: *version }
}
