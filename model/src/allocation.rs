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

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    AllocationId, CoreGrant, DeploymentId, DeviceGrant, EvaluationId, Index, JobKey, NodeId, Resources, Timestamp,
};

/// One instance of a group on one node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Allocation {
    /// The id.
    pub id: AllocationId,
    /// The job.
    pub job: JobKey,
    /// The version of the job that it runs.
    pub job_version: u64,
    /// The group.
    pub group: String,
    /// Which of the group's instances it is; the name is `job.group[index]`.
    pub index: u32,
    /// The node.
    pub node: NodeId,
    /// The node's name, for people.
    pub node_name: String,
    /// The evaluation that placed it.
    pub evaluation: EvaluationId,
    /// The deployment that it belongs to.
    pub deployment: Option<DeploymentId>,
    /// Whether it is a canary of that deployment.
    pub canary: bool,
    /// What it holds on the node for as long as it is not observed gone.
    pub resources: Resources,
    /// The ports that it holds.
    pub ports: Vec<AssignedPort>,
    /// The cores that its tasks have alone.
    #[serde(default)]
    pub cores: Vec<CoreGrant>,
    /// The devices that its tasks have, whole or in part.
    #[serde(default)]
    pub devices: Vec<DeviceGrant>,
    /// Allocations on the same node that must be gone before it starts; together they hold the larger of the two.
    pub after: Vec<AllocationId>,
    /// The allocation that it replaces.
    pub previous: Option<AllocationId>,
    /// The allocation that replaces it.
    pub next: Option<AllocationId>,
    /// The allocation of a higher priority that takes its room.
    #[serde(default)]
    pub preempted_by: Option<AllocationId>,
    /// Earlier placements of this instance that failed, oldest first.
    pub reschedules: Vec<RescheduleEvent>,
    /// The evaluation that will place it anew after a delay.
    pub follow_up: Option<EvaluationId>,
    /// Whether it failed and a person wants it placed anew at once, whatever its group's policy says.
    #[serde(default)]
    pub forced: bool,

    /// What is wanted.
    pub desired: Desired,
    /// Whether it shall move off its node, at the pace of its group's `migrate`.
    pub migrate: bool,
    /// Counted up whenever the agent has something new to do; it ignores lower ones.
    pub generation: Index,

    /// What was last observed.
    pub client_status: ClientStatus,
    /// Why, in words.
    pub client_description: String,
    /// The tasks, as the agent sees them.
    pub tasks: BTreeMap<String, TaskState>,
    /// Whether it counts as healthy for a deployment or migration; none while undecided.
    pub healthy: Option<bool>,
    /// When that was decided.
    pub healthy_at: Option<Timestamp>,
    /// The checks, by `service/check`.
    pub checks: BTreeMap<String, CheckState>,
    /// The address of the shared network namespace, where the group has one.
    pub network_address: Option<String>,

    /// Index of its placement.
    pub create_index: Index,
    /// Index of its last change.
    pub modify_index: Index,
    /// When it was placed.
    pub created_at: Timestamp,
    /// When it last changed.
    pub modified_at: Timestamp,
}

impl Allocation {
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

/// A task as its agent sees it.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TaskState {
    /// Where it stands.
    pub phase: TaskPhase,
    /// Whether it failed for good.
    pub failed: bool,
    /// Restarts on this node.
    pub restarts: u32,
    /// When it was last restarted.
    pub last_restart: Option<Timestamp>,
    /// When it last started.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// How it last ended.
    pub exit: Option<Exit>,
    /// The ten newest events, oldest first.
    pub events: Vec<TaskEvent>,
}

/// Where a task stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum TaskPhase {
    /// It does not run yet, or waits to run again.
    #[default]
    Pending,
    /// It runs.
    Running,
    /// It is over.
    Dead,
}

impl TaskPhase {
    /// The word for people.
    pub fn as_str(self) -> &'static str {
        match self {
            TaskPhase::Pending => "pending",
            TaskPhase::Running => "running",
            TaskPhase::Dead => "dead",
        }
    }
}

/// How a task ended.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Exit {
    /// The exit code.
    pub code: i64,
    /// The signal that ended it; 0 for none.
    pub signal: i32,
    /// Whether its memory limit ended it.
    pub oom_killed: bool,
    /// What the runtime says; empty for nothing.
    pub error: String,
}

/// Something that happened to a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskEvent {
    /// Nomad's word: `Started`, `Terminated`, `Restarting`, …
    pub kind: String,
    /// When.
    pub at: Timestamp,
    /// A sentence.
    pub message: String,
    /// Facts such as `exit_code`.
    pub details: BTreeMap<String, String>,
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
