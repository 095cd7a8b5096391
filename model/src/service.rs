//! An instance of a service, as the catalog derives it from allocation, checks and node.

use serde::{Deserialize, Serialize};

use crate::{AllocationId, JobKey, NodeId};

/// One instance of a service: derived, never stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instance {
    /// Unique: `_nomad-task-<allocation>-<task or group-…>-<service>-<port label>`.
    pub id: String,
    /// The service's name, interpolated.
    pub service: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// The job.
    pub job: JobKey,
    /// The group and name index of the instance.
    pub group: String,
    /// The allocation.
    pub allocation: AllocationId,
    /// The node.
    pub node: NodeId,
    /// The node's name.
    pub node_name: String,
    /// The node's datacenter.
    pub datacenter: String,
    /// Where to connect to.
    pub address: String,
    /// The port; 0 where the service names none.
    pub port: u16,
    /// Whether it answers.
    pub state: InstanceState,
}

/// Whether an instance of a service answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum InstanceState {
    /// Its tasks or checks are not up yet.
    Starting,
    /// It answers: the only state in which DNS and the Nomad dialect name it.
    Passing,
    /// A check fails.
    Failing,
    /// It shall stop, or its node is out of contact.
    Draining,
}

impl InstanceState {
    /// The word for people.
    pub fn as_str(self) -> &'static str {
        match self {
            InstanceState::Starting => "starting",
            InstanceState::Passing => "passing",
            InstanceState::Failing => "failing",
            InstanceState::Draining => "draining",
        }
    }
}
