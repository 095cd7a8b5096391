//! A rebalance as it is replicated: what was asked, its moves in order, and where each stands.
//!
//! ```text
//!   move:       Waiting ──► Moving ──► Done
//!                  │           ├─────► Skipped    something else decides of it now, or it no longer pays: it stays
//!                  └───────────┴─────► Failed     its replacement did badly: the rebalance is aborted
//!
//!   rebalance:  Running ──► Complete
//!                  ├──► Cancelling ──► Cancelled  a person ended it; what moves already moves on
//!                  └──► Aborting   ──► Aborted    a move failed
//! ```

use std::time::Duration;

use model::{AllocationId, Index, JobKey, NodeId, Timestamp};
use serde::{Deserialize, Serialize};

use super::Gain;
use crate::limits::{REBALANCE_AT_ONCE, REBALANCE_COOL_DOWN, REBALANCE_MOVES};

/// What a rebalance shall bring about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Goal {
    /// Instances of a group apart from each other, and nodes evenly loaded.
    Spread,
    /// As few nodes in use as possible: nodes that can be freed whole are freed.
    Pack,
    /// Nothing left on that node but what can't move.
    Empty(NodeId),
}

impl Goal {
    /// The word for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Goal::Spread => "spread",
            Goal::Pack => "pack",
            Goal::Empty(_) => "empty",
        }
    }
}

/// Which instances may move. What names nothing is about all.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Scope {
    /// Those of that job only.
    pub job: Option<JobKey>,
    /// Those of that namespace only.
    pub namespace: Option<String>,
    /// Those on nodes of that pool only.
    pub pool: Option<String>,
    /// Whether the only instance of its group may move too.
    pub singletons: bool,
}

/// How much a rebalance may disturb.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Moves in all.
    pub moves: u32,
    /// Moves at a time.
    pub at_once: u32,
    /// Moves of one job at a time. A group's `migrate` holds beside it.
    pub per_job_at_once: u32,
    /// An instance that was moved is not moved again before that.
    pub cool_down: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let at_once = REBALANCE_AT_ONCE;
        Self { moves: REBALANCE_MOVES, at_once, per_job_at_once: 1, cool_down: REBALANCE_COOL_DOWN }
    }
}

/// What is asked of a rebalance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// What it shall bring about.
    pub goal: Goal,
    /// Which instances may move.
    #[serde(default)]
    pub scope: Scope,
    /// How much it may disturb.
    #[serde(default)]
    pub limits: Limits,
}

impl Ask {
    /// With that goal, of everything, within the usual limits.
    pub fn of(goal: Goal) -> Self {
        Self { goal, scope: Scope::default(), limits: Limits::default() }
    }
}

/// One instance and the node that it shall go to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Move {
    /// The allocation that runs now.
    pub allocation: AllocationId,
    /// Its job.
    pub job: JobKey,
    /// Its name, `job.group[index]`.
    pub name: String,
    /// Its node.
    pub from: NodeId,
    /// That node's name, for people.
    pub from_name: String,
    /// The node that it shall go to.
    pub to: NodeId,
    /// That node's name.
    pub to_name: String,
    /// Moves of one set pay only together; those of a set are neighbours.
    pub set: u32,
    /// What it brings.
    pub gain: Gain,
    /// Where it stands.
    pub stage: Stage,
    /// Why, in words; empty for nothing to add.
    pub detail: String,
}

/// Where a move stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub enum Stage {
    /// Others move first.
    #[default]
    Waiting,
    /// Its replacement is placed or starts.
    Moving,
    /// The replacement is healthy, and the original was told to stop.
    Done,
    /// It stays where it is.
    Skipped,
    /// Its replacement did badly.
    Failed,
}

impl Stage {
    /// Whether nothing more comes of it.
    pub fn is_over(self) -> bool {
        match self {
            Stage::Waiting | Stage::Moving => false,
            Stage::Done | Stage::Skipped | Stage::Failed => true,
        }
    }

    /// The word for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Stage::Waiting => "waiting",
            Stage::Moving => "moving",
            Stage::Done => "done",
            Stage::Skipped => "skipped",
            Stage::Failed => "failed",
        }
    }
}

/// Where a rebalance stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    /// It moves one after the other.
    Running,
    /// A person ended it; what moves already moves on.
    Cancelling,
    /// A move failed; what else moves already moves on.
    Aborting,
    /// Every move is over.
    Complete,
    /// A person ended it.
    Cancelled,
    /// A move failed.
    Aborted,
}

impl Status {
    /// Whether nothing more comes of it.
    pub fn is_over(self) -> bool {
        match self {
            Status::Running | Status::Cancelling | Status::Aborting => false,
            Status::Complete | Status::Cancelled | Status::Aborted => true,
        }
    }

    /// What it becomes when its last move is over.
    pub(crate) fn at_the_end(self) -> Self {
        match self {
            Status::Running | Status::Complete => Status::Complete,
            Status::Cancelling | Status::Cancelled => Status::Cancelled,
            Status::Aborting | Status::Aborted => Status::Aborted,
        }
    }

    /// The word for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Running => "running",
            Status::Cancelling => "cancelling",
            Status::Aborting => "aborting",
            Status::Complete => "complete",
            Status::Cancelled => "cancelled",
            Status::Aborted => "aborted",
        }
    }
}

/// A rebalance that was asked for: there is at most one that is not over, and the last one is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rebalance {
    /// Index of the entry that began it; names it.
    pub index: Index,
    /// What was asked.
    pub ask: Ask,
    /// Its moves, in the order in which they are made.
    pub moves: Vec<Move>,
    /// Where it stands.
    pub status: Status,
    /// Why, in words; empty for nothing to add.
    pub description: String,
    /// When it began.
    pub started_at: Timestamp,
    /// When it last changed.
    pub modified_at: Timestamp,
    /// Index of its last change.
    pub modify_index: Index,
}

impl Rebalance {
    /// Its moves that are under way.
    pub fn moving(&self) -> impl Iterator<Item = &Move> {
        self.moves.iter().filter(|known| known.stage == Stage::Moving)
    }

    /// The move of that allocation that is not over.
    pub fn move_of(&self, allocation: AllocationId) -> Option<&Move> {
        self.moves.iter().find(|known| known.allocation == allocation && !known.stage.is_over())
    }
}
