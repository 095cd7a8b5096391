//! A plan: what the planner decided for one evaluation, small enough for the log.
//!
//! It names counts and nodes, not job specs: `apply` derives ids, picks name indexes and dynamic ports, and checks the
//! arithmetic again. What can't be derived stands in a compact tail per instance.

use std::collections::BTreeMap;

use model::{
    AllocationId, CoreGrant, DeviceGrant, Evaluation, EvaluationId, Index, JobKey, NodeId, RescheduleEvent, StopReason,
    Term, Timestamp, Unplaced,
};
use serde::{Deserialize, Serialize};

use crate::state::State;

/// What the planner decided for one evaluation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The evaluation.
    pub evaluation: EvaluationId,
    /// How many plans were committed for it before; any other number is rejected.
    pub attempt: u32,
    /// The term of the leader that made it; an older one is rejected.
    pub term: Term,
    /// Index of the snapshot that it was made from.
    pub snapshot_index: Index,
    /// The job.
    pub job: JobKey,
    /// The job's version that it was made with.
    pub job_version: u64,
    /// The job's modify index that it was made with; 0 where the job is gone. Any other is rejected.
    pub job_modify_index: Index,
    /// How many plans had changed something of the job when it was made; any other number is rejected, since it was made
    /// without what these did. None from a version that did not count them.
    #[serde(default)]
    pub job_plans: Option<u64>,
    /// Whether the evaluations that it creates are named after it, so that they have their names before it is in the log. Not
    /// so from a version that named them after the index, where another entry's could come to be in place of the one meant.
    #[serde(default)]
    pub names_evaluations: bool,
    /// Other pending evaluations of the job that it decides as well.
    pub supersedes: Vec<EvaluationId>,
    /// Allocations to end.
    pub stops: Vec<Stop>,
    /// Allocations that take the job's version as they run.
    pub updates_in_place: Vec<AllocationId>,
    /// Instances to place.
    pub placements: Vec<Placement>,
    /// What becomes of the job's deployment.
    pub deployment: DeploymentChange,
    /// What becomes of the evaluation.
    pub outcome: Outcome,
}

impl Plan {
    /// The plan that changes nothing and ends an evaluation as failed.
    pub fn giving_up(state: &State, evaluation: &Evaluation, description: &str) -> Self {
        let record = state.job(&evaluation.job);
        Self {
            evaluation: evaluation.id,
            attempt: evaluation.attempts,
            term: state.term(),
            snapshot_index: state.index(),
            job: evaluation.job.clone(),
            job_version: record.map_or(0, |record| record.current().version),
            job_modify_index: record.map_or(0, |record| record.job_modify_index),
            job_plans: record.map(|record| record.plans),
            names_evaluations: true,
            supersedes: Vec::new(),
            stops: Vec::new(),
            updates_in_place: Vec::new(),
            placements: Vec::new(),
            deployment: DeploymentChange::None,
            outcome: Outcome {
                progress: Progress::Failed { description: description.into() },
                unplaced: evaluation.unplaced.clone(),
                queued: evaluation.queued.clone(),
                follow_ups: Vec::new(),
            },
        }
    }

    /// Whether it changes something of the job.
    pub fn is_change(&self) -> bool {
        let is_empty = self.stops.is_empty() && self.updates_in_place.is_empty() && self.placements.is_empty();
        !is_empty || self.deployment != DeploymentChange::None
    }

    /// Instances that it places.
    pub fn instances(&self) -> u32 {
        self.placements.iter().map(|placement| placement.count).sum()
    }
}

/// An allocation to end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stop {
    /// The allocation.
    pub allocation: AllocationId,
    /// Why.
    pub reason: StopReason,
}

/// Equal instances of one group on one node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Placement {
    /// The group.
    pub group: String,
    /// The version of the job, which is not the plan's where an instance of an old version moves.
    pub job_version: u64,
    /// The node.
    pub node: NodeId,
    /// The node's generation that the decision was made with.
    pub node_generation: Index,
    /// How many.
    pub count: u32,
    /// One per instance, or none where nothing needs saying: fresh instances with the lowest free name indexes.
    pub tails: Vec<Tail>,
}

/// What can't be derived of one instance.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Tail {
    /// The name index; none for the lowest free one.
    pub index: Option<u32>,
    /// The allocation that it replaces.
    pub previous: Option<AllocationId>,
    /// Allocations of the same node that must be gone before it starts.
    pub after: Vec<AllocationId>,
    /// Those of them that end for it, because it has a higher priority.
    #[serde(default)]
    pub preempts: Vec<AllocationId>,
    /// Whether it is a canary.
    pub canary: bool,
    /// Earlier placements of the instance that failed, oldest first.
    pub reschedules: Vec<RescheduleEvent>,
    /// The cores that its tasks get alone.
    #[serde(default)]
    pub cores: Vec<CoreGrant>,
    /// The devices that its tasks get, whole or in part.
    #[serde(default)]
    pub devices: Vec<DeviceGrant>,
}

/// What becomes of the job's deployment.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum DeploymentChange {
    /// Nothing; placements join the active deployment of their version, if there is one.
    #[default]
    None,
    /// A new one begins, with the wanted totals and canaries per group. One of an older version is cancelled.
    Begin(BTreeMap<String, GroupGoal>),
    /// The active one is cancelled: the job is stopped, or a newer version stands for it.
    Cancel {
        /// Why, in words.
        description: String,
    },
}

/// What a deployment wants of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupGoal {
    /// Instances.
    pub total: u32,
    /// Canaries.
    pub canaries: u32,
}

/// What becomes of the evaluation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Whether it is over.
    pub progress: Progress,
    /// Groups of which something found no room. If any, a blocked evaluation is kept for them.
    pub unplaced: BTreeMap<String, Unplaced>,
    /// Instances per group that wait: unplaced, or held back by the pace of an update.
    pub queued: BTreeMap<String, u32>,
    /// New placements that must wait for their time.
    pub follow_ups: Vec<FollowUp>,
}

/// Whether an evaluation is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Progress {
    /// Everything was decided.
    Complete,
    /// More plans follow for it.
    Continues,
    /// The planner gave up.
    Failed {
        /// Why, in words.
        description: String,
    },
}

/// An evaluation at a later time, for allocations that failed and must wait before they are placed anew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FollowUp {
    /// When.
    pub at: Timestamp,
    /// For which allocations.
    pub allocations: Vec<AllocationId>,
}
