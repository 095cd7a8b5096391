//! An allocation: one instance of a group on one node, what is wanted of it and what has been observed.
//!
//! Desired and observed are two things. A stop is done only when the containers have been observed gone; until then the
//! allocation holds its resources and ports.
//!
//! ```text
//!   observed:  Pending -> Running -> Complete | Failed        (terminal, reported by the agent)
//!                  \________\______> Unknown                  (its node is down; goes back when the node returns)
//!                                       \____> Lost           (its node was purged: terminal)
//! ```

mod task_states;

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{
    AllocationId, CoreGrant, DeploymentId, DeviceGrant, EvaluationId, Index, JobKey, NodeId, Resources, Timestamp,
};

pub use task_states::{Exit, TaskEvent, TaskPhase, TaskState, TaskStates};

/// One instance of a group on one node. What it has in common with the others that were placed with it reads as if it were
/// its own: there may be millions of instances, so each is kept small. What is empty is not written, and what all have is
/// written under short names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Allocation {
    /// The id.
    #[serde(rename = "i", alias = "id")]
    pub id: AllocationId,
    /// What it shares; kept apart where many are written.
    #[serde(skip)]
    pub cohort: Arc<Cohort>,
    /// Which of the group's instances it is; the name is `job.group[index]`.
    #[serde(rename = "x", alias = "index")]
    pub index: u32,
    /// The node.
    #[serde(rename = "n", alias = "node")]
    pub node: NodeId,
    /// The node's name, for people.
    #[serde(rename = "h", alias = "node_name")]
    pub node_name: Arc<str>,
    /// Whether it is a canary of its deployment.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub canary: bool,
    /// The ports that it holds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<AssignedPort>,
    /// The cores that its tasks have alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cores: Vec<CoreGrant>,
    /// The devices that its tasks have, whole or in part.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<DeviceGrant>,
    /// Whether it failed and a person wants it placed anew at once, whatever its group's policy says.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub forced: bool,
    /// How it is tied to others; none where it is not. Read by [`ties`](Self::ties), changed by [`tie`](Self::tie).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ties: Option<Box<Ties>>,

    /// What is wanted.
    #[serde(rename = "d", alias = "desired")]
    pub desired: Desired,
    /// Whether it shall move off its node, at the pace of its group's `migrate`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub migrate: bool,
    /// Counted up whenever the agent has something new to do; it ignores lower ones.
    #[serde(rename = "g", alias = "generation")]
    pub generation: Index,

    /// What was last observed.
    #[serde(rename = "s", alias = "client_status")]
    pub client_status: ClientStatus,
    /// Why, in words; none for nothing to add.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_description: Option<Arc<str>>,
    /// The tasks, as the agent sees them.
    #[serde(rename = "t", alias = "tasks")]
    pub tasks: TaskStates,
    /// Whether it counts as healthy for a deployment or migration; none while undecided.
    #[serde(rename = "w", alias = "healthy", default, skip_serializing_if = "Option::is_none")]
    pub healthy: Option<bool>,
    /// When that was decided.
    #[serde(rename = "v", alias = "healthy_at", default, skip_serializing_if = "Option::is_none")]
    pub healthy_at: Option<Timestamp>,
    /// The checks, by `service/check`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub checks: BTreeMap<String, CheckState>,
    /// The address of the shared network namespace, where the group has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network_address: Option<Arc<str>>,

    /// Index of its last change.
    #[serde(rename = "m", alias = "modify_index")]
    pub modify_index: Index,
    /// When it last changed.
    #[serde(rename = "u", alias = "modified_at")]
    pub modified_at: Timestamp,
}

/// What instances have in common that were placed, or updated in place, together.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Cohort {
    /// The job.
    pub job: JobKey,
    /// The version of the job that they run.
    pub job_version: u64,
    /// The group.
    pub group: String,
    /// The evaluation that placed or updated them.
    pub evaluation: EvaluationId,
    /// The deployment that they belong to.
    pub deployment: Option<DeploymentId>,
    /// What each holds on its node for as long as it is not observed gone.
    pub resources: Resources,
    /// Index of the placement.
    pub create_index: Index,
    /// When they were placed.
    pub created_at: Timestamp,
}

/// How an allocation is tied to others. Most are not.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Ties {
    /// Allocations on the same node that must be gone before it starts; together they hold the larger of the two.
    pub after: Vec<AllocationId>,
    /// The allocation that it replaces.
    pub previous: Option<AllocationId>,
    /// The allocation that replaces it.
    pub next: Option<AllocationId>,
    /// The allocation of a higher priority that takes its room.
    pub preempted_by: Option<AllocationId>,
    /// Earlier placements of this instance that failed, oldest first.
    pub reschedules: Vec<RescheduleEvent>,
    /// The evaluation that will place it anew after a delay.
    pub follow_up: Option<EvaluationId>,
}

impl Deref for Allocation {
    type Target = Cohort;

    fn deref(&self) -> &Cohort {
        &self.cohort
    }
}

impl Allocation {
    /// A new instance: nothing is observed of it yet.
    pub fn placed(id: AllocationId, cohort: Arc<Cohort>, node: NodeId, node_name: Arc<str>) -> Self {
        Self {
            id,
            index: 0,
            node,
            node_name,
            canary: false,
            ports: Vec::new(),
            cores: Vec::new(),
            devices: Vec::new(),
            forced: false,
            ties: None,
            desired: Desired::Run,
            migrate: false,
            generation: cohort.create_index,
            client_status: ClientStatus::Pending,
            client_description: None,
            tasks: TaskStates::default(),
            healthy: None,
            healthy_at: None,
            checks: BTreeMap::new(),
            network_address: None,
            modify_index: cohort.create_index,
            modified_at: cohort.created_at,
            cohort,
        }
    }

    /// `job.group[index]`.
    pub fn name(&self) -> String {
        format!("{}.{}[{}]", self.job.id, self.group, self.index)
    }

    /// Whether its resources and ports are held: until it is observed gone.
    pub fn holds(&self) -> bool {
        !self.client_status.is_terminal()
    }

    /// Whether it is wanted and not over: what counts towards the group's count.
    pub fn is_live(&self) -> bool {
        self.desired == Desired::Run && !self.client_status.is_terminal()
    }

    /// Whether it is live, within reach, and healthy.
    pub fn is_well(&self) -> bool {
        self.is_live() && self.client_status != ClientStatus::Unknown && self.healthy == Some(true)
    }

    /// How it is tied to others.
    pub fn ties(&self) -> &Ties {
        static NONE: Ties = Ties {
            after: Vec::new(),
            previous: None,
            next: None,
            preempted_by: None,
            reschedules: Vec::new(),
            follow_up: None,
        };
        self.ties.as_deref().unwrap_or(&NONE)
    }

    /// Changes how it is tied to others.
    pub fn tie(&mut self, change: impl FnOnce(&mut Ties)) {
        let mut ties = self.ties.take().unwrap_or_default();
        change(&mut ties);
        self.ties = (*ties != Ties::default()).then_some(ties);
    }
}

/// A port that an allocation holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssignedPort {
    /// The label in the jobspec.
    pub label: String,
    /// The number on the node.
    pub value: u16,
    /// The number inside the container; the same as `value` where the jobspec says nothing.
    pub to: u16,
    /// The node's address on which it is published.
    pub host_ip: String,
}

/// What is wanted of an allocation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Desired {
    /// It shall run.
    Run,
    /// It shall end.
    Stop(StopReason),
}

impl Desired {
    /// The word of Nomad's JSON.
    pub fn as_str(&self) -> &'static str {
        match self {
            Desired::Run => "run",
            Desired::Stop(_) => "stop",
        }
    }
}

/// Why an allocation shall end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum StopReason {
    /// The job was stopped.
    JobStopped,
    /// The group's count went down, or the group is gone.
    NotNeeded,
    /// A new version takes its place.
    Updated,
    /// Its node drains.
    Migrated,
    /// Its node is down and it was replaced.
    NodeDown,
    /// It failed and was placed anew.
    Rescheduled,
    /// A person asked for it.
    Requested,
    /// Its node returned, and its replacement stays.
    Reconnected,
    /// Its node no longer meets the job's conditions.
    NodeUnfit,
    /// Work of a higher priority takes its room.
    Preempted,
}

impl StopReason {
    /// A sentence for people.
    pub fn as_str(self) -> &'static str {
        match self {
            StopReason::JobStopped => "alloc not needed due to job update or stop",
            StopReason::NotNeeded => "alloc is not needed: the count went down",
            StopReason::Updated => "alloc is being updated due to job update",
            StopReason::Migrated => "alloc is being migrated",
            StopReason::NodeDown => "alloc was replaced because its node is down",
            StopReason::Rescheduled => "alloc was rescheduled because it failed",
            StopReason::Requested => "alloc was stopped by request",
            StopReason::Reconnected => "alloc was replaced while its node was out of contact",
            StopReason::NodeUnfit => "node no longer meets the conditions of the job",
            StopReason::Preempted => "alloc was preempted by work of a higher priority",
        }
    }
}

/// What was last observed of an allocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum ClientStatus {
    /// Placed; its tasks do not run yet.
    #[default]
    Pending,
    /// At least one task runs.
    Running,
    /// All tasks ended well and are gone.
    Complete,
    /// A task failed for good, and all are gone.
    Failed,
    /// Its node is down: nobody knows.
    Unknown,
    /// Its node is down and was purged: nobody will ever know.
    Lost,
}

impl ClientStatus {
    /// Whether it is over: the containers were observed gone, or never will be.
    pub fn is_terminal(self) -> bool {
        match self {
            ClientStatus::Pending | ClientStatus::Running | ClientStatus::Unknown => false,
            ClientStatus::Complete | ClientStatus::Failed | ClientStatus::Lost => true,
        }
    }

    /// The word for people.
    pub fn as_str(self) -> &'static str {
        match self {
            ClientStatus::Pending => "pending",
            ClientStatus::Running => "running",
            ClientStatus::Complete => "complete",
            ClientStatus::Failed => "failed",
            ClientStatus::Unknown => "unknown",
            ClientStatus::Lost => "lost",
        }
    }
}

/// An earlier placement of an instance that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RescheduleEvent {
    /// When it was placed anew.
    pub at: Timestamp,
    /// The allocation that failed.
    pub previous: AllocationId,
    /// The node where it failed.
    pub node: NodeId,
    /// The wait before the new placement, in nanoseconds.
    pub delay_ns: u64,
}

/// A check as its agent last committed it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckState {
    /// Whether it passes.
    pub status: CheckStatus,
    /// When that last changed.
    pub at: Timestamp,
    /// What the probe that changed it answered, at most 512 bytes.
    pub output: String,
}

/// Whether a check passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum CheckStatus {
    /// It has not answered yet.
    #[default]
    Pending,
    /// It passes.
    Passing,
    /// It fails.
    Failing,
}

impl CheckStatus {
    /// The word for people.
    pub fn as_str(self) -> &'static str {
        match self {
            CheckStatus::Pending => "pending",
            CheckStatus::Passing => "passing",
            CheckStatus::Failing => "failing",
        }
    }
}
