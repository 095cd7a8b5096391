//! What an agent is told of an allocation, and what it answers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    AllocationId, AssignedPort, CheckState, ClientStatus, CoreGrant, DeploymentId, Desired, DeviceGrant, Index, JobKey,
    TaskState, TaskStates, Timestamp,
};

/// Names one version of a job's document. A job that was forgotten and is registered again counts its versions from 0
/// again, so a version alone would name two documents.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DocumentId {
    /// The job.
    pub job: JobKey,
    /// Index of its first registration.
    pub create_index: Index,
    /// The version.
    pub version: u64,
}

impl std::fmt::Display for DocumentId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} v{}", self.job, self.version)
    }
}

/// What an agent is told of one allocation on its node; the job document travels once per version, beside it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Assignment {
    /// The allocation.
    pub allocation: AllocationId,
    /// Its job, in the version that it runs.
    pub document: DocumentId,
    /// Its group.
    pub group: String,
    /// Which of the group's instances it is.
    pub index: u32,
    /// The ports that it holds.
    pub ports: Vec<AssignedPort>,
    /// The cores that its tasks have alone.
    #[serde(default)]
    pub cores: Vec<CoreGrant>,
    /// The devices that its tasks have, whole or in part.
    #[serde(default)]
    pub devices: Vec<DeviceGrant>,
    /// Allocations of this node that must be gone before it starts.
    pub after: Vec<AllocationId>,
    /// The deployment that waits for its health.
    pub deployment: Option<DeploymentId>,
    /// What is wanted.
    pub desired: Desired,
    /// An assignment of a lower generation is out of date.
    pub generation: Index,
}

/// What an agent has observed of one allocation. It always says all of it, so that the newest one suffices. On its way
/// through the log the states of its tasks are packed ([`Observation::packed`]), as servers keep them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Observation<T = BTreeMap<String, TaskState>> {
    /// The allocation.
    pub allocation: AllocationId,
    /// Where it stands; terminal only when all its containers were observed gone.
    pub client_status: ClientStatus,
    /// Why, in words; empty for nothing to add.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub client_description: String,
    /// The tasks, by name.
    pub tasks: T,
    /// Whether it counts as healthy; none while undecided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub healthy: Option<bool>,
    /// When that was decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub healthy_at: Option<Timestamp>,
    /// The checks, by `service/check`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub checks: BTreeMap<String, CheckState>,
    /// The address of the shared network namespace, where the group has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network_address: Option<String>,
}

impl Observation {
    /// The same with the states of its tasks packed: servers pass them on, and look at them rarely.
    pub fn packed(self) -> Observation<TaskStates> {
        Observation {
            allocation: self.allocation,
            client_status: self.client_status,
            client_description: self.client_description,
            tasks: TaskStates::pack(&self.tasks),
            healthy: self.healthy,
            healthy_at: self.healthy_at,
            checks: self.checks,
            network_address: self.network_address,
        }
    }
}

/// What runs use of a node, measured by its agent; carried by beats, never logged.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
pub struct Usage {
    /// CPU in use on the whole host, in MHz.
    pub cpu_mhz: u64,
    /// Memory in use on the whole host, in MiB.
    pub memory_mb: u64,
    /// CPU (MHz) and memory (MiB) of each allocation.
    pub allocations: BTreeMap<AllocationId, (u64, u64)>,
}
