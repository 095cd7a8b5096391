//! What changed, and when: for blocking queries and the event stream.

use model::{AllocationId, DeploymentId, EvaluationId, Index, JobKey, NodeId, VolumeId};
use serde::{Deserialize, Serialize};

use super::ServiceKey;

/// Indexes at which each table last changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TableIndexes {
    /// Jobs.
    pub jobs: Index,
    /// Nodes.
    pub nodes: Index,
    /// Allocations.
    pub allocations: Index,
    /// Evaluations.
    pub evaluations: Index,
    /// Deployments.
    pub deployments: Index,
    /// Services.
    pub services: Index,
    /// Servers.
    pub servers: Index,
    /// Volumes, and claims to them.
    #[serde(default)]
    pub volumes: Index,
}

/// A table that can be watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// Jobs.
    Jobs,
    /// Nodes.
    Nodes,
    /// Allocations.
    Allocations,
    /// Evaluations.
    Evaluations,
    /// Deployments.
    Deployments,
    /// Services.
    Services,
    /// Servers.
    Servers,
    /// Volumes, and claims to them.
    Volumes,
}

impl TableIndexes {
    /// Index at which that table last changed.
    pub fn of(&self, table: Table) -> Index {
        match table {
            Table::Jobs => self.jobs,
            Table::Nodes => self.nodes,
            Table::Allocations => self.allocations,
            Table::Evaluations => self.evaluations,
            Table::Deployments => self.deployments,
            Table::Services => self.services,
            Table::Servers => self.servers,
            Table::Volumes => self.volumes,
        }
    }
}

/// One object that an entry changed. The object itself is read from the state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A job was registered, stopped, or (`gone`) forgotten.
    Job {
        /// The job.
        key: JobKey,
        /// Whether it is no longer there.
        gone: bool,
    },
    /// A node was registered or changed.
    Node {
        /// The node.
        id: NodeId,
        /// What happened to it.
        kind: NodeChange,
    },
    /// An allocation was placed or changed.
    Allocation {
        /// The allocation.
        id: AllocationId,
        /// Its node.
        node: NodeId,
        /// Whether it is new.
        created: bool,
        /// Whether what is wanted of it changed, rather than what was observed.
        desired: bool,
    },
    /// An evaluation was created or changed.
    Evaluation(EvaluationId),
    /// A deployment was created or changed.
    Deployment(DeploymentId),
    /// A volume was made, registered or changed, or (`gone`) is no longer there.
    Volume {
        /// The volume.
        id: VolumeId,
        /// Whether it is no longer there.
        gone: bool,
    },
    /// A service has other instances, or others answer.
    Service(ServiceKey),
}

/// What happened to a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeChange {
    /// It registered.
    Registered,
    /// It is forgotten.
    Deregistered,
    /// It opened or closed for new work.
    Eligibility,
    /// A drain began, went on or ended.
    Drain,
    /// Its status changed.
    Status,
}
