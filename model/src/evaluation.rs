//! An evaluation: the wish to bring one job's allocations in line with what is wanted.
//!
//! ```text
//!   Pending -> Complete                 everything wanted was placed
//!          \-> Complete, with a Blocked one beside it: something found no room, and waits for it
//!          \-> Failed                   the scheduler gave up
//!          \-> Canceled                 a newer one stands for it
//! ```

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{DeploymentId, EvaluationId, Index, JobKey, JobType, NodeId, Timestamp, Unplaced};

/// One run of the scheduler for one job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// The id.
    pub id: EvaluationId,
    /// The job.
    pub job: JobKey,
    /// Its type, kept because the job may be purged.
    pub kind: JobType,
    /// The job's priority.
    pub priority: u32,
    /// What caused it.
    pub trigger: Trigger,
    /// The node that caused it.
    pub node: Option<NodeId>,
    /// The deployment that it belongs to.
    pub deployment: Option<DeploymentId>,
    /// Where it stands.
    pub status: EvaluationStatus,
    /// Why, in words.
    pub description: String,
    /// Not before then.
    pub wait_until: Option<Timestamp>,
    /// The evaluation that made this one.
    pub previous: Option<EvaluationId>,
    /// The evaluation that follows it.
    pub next: Option<EvaluationId>,
    /// The blocked evaluation that waits for room on its behalf.
    pub blocked: Option<EvaluationId>,
    /// Groups of which something found no room, and why.
    pub unplaced: BTreeMap<String, Unplaced>,
    /// Instances per group that still wait to be placed.
    pub queued: BTreeMap<String, u32>,
    /// Plans committed for it; the next one must carry this number.
    pub attempts: u32,
    /// Index of the state that it was decided on.
    pub snapshot_index: Index,
    /// Index of its creation.
    pub create_index: Index,
    /// Index of its last change.
    pub modify_index: Index,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub modified_at: Timestamp,
}

/// Where an evaluation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub enum EvaluationStatus {
    /// It waits for the planner.
    #[default]
    Pending,
    /// It waits for room.
    Blocked,
    /// Done.
    Complete,
    /// The scheduler gave up.
    Failed,
    /// A newer one stands for it.
    Canceled,
}

impl EvaluationStatus {
    /// Whether it is over.
    pub fn is_terminal(self) -> bool {
        match self {
            EvaluationStatus::Pending | EvaluationStatus::Blocked => false,
            EvaluationStatus::Complete | EvaluationStatus::Failed | EvaluationStatus::Canceled => true,
        }
    }

    /// The word for people.
    pub fn as_str(self) -> &'static str {
        match self {
            EvaluationStatus::Pending => "pending",
            EvaluationStatus::Blocked => "blocked",
            EvaluationStatus::Complete => "complete",
            EvaluationStatus::Failed => "failed",
            EvaluationStatus::Canceled => "canceled",
        }
    }
}

/// What caused an evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Trigger {
    /// A job was registered.
    JobRegister,
    /// A job was stopped.
    JobDeregister,
    /// A node changed.
    NodeUpdate,
    /// A node drains.
    NodeDrain,
    /// A person stopped an allocation.
    AllocStop,
    /// An allocation failed.
    AllocFailure,
    /// The wait before a new placement is over.
    AllocReschedule,
    /// A deployment went on.
    DeploymentWatcher,
    /// Something found no room.
    QueuedAllocs,
    /// The planner failed on it before.
    FailedFollowUp,
    /// A person asked for it.
    Requested,
    /// Work of a higher priority took the room of an instance.
    Preemption,
    /// A rebalance moves an instance, or lets it stay.
    Rebalance,
}

impl Trigger {
    /// The word of Nomad's JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Trigger::JobRegister => "job-register",
            Trigger::JobDeregister => "job-deregister",
            Trigger::NodeUpdate => "node-update",
            Trigger::NodeDrain => "node-drain",
            Trigger::AllocStop => "alloc-stop",
            Trigger::AllocFailure => "alloc-failure",
            Trigger::AllocReschedule => "alloc-reschedule",
            Trigger::DeploymentWatcher => "deployment-watcher",
            Trigger::QueuedAllocs => "queued-allocs",
            Trigger::FailedFollowUp => "failed-follow-up",
            Trigger::Requested => "job-eval",
            Trigger::Preemption => "preemption",
            Trigger::Rebalance => "rebalance",
        }
    }
}
