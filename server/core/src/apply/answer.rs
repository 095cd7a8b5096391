//! What whoever proposed an entry is told: what it brought about, or why it changed nothing.
//!
//! The answer to a request is remembered and part of the state, so that a retry gets the same. The words of a rejection
//! are for people, and some of them are those that clients search for.

use model::{AllocationId, DeploymentId, EvaluationId, Index, NodeId, ServerId, Term};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::RejectedPlacement;

/// The answer to whoever proposed an entry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Answer {
    /// It changed the state.
    Accepted(Accepted),
    /// It changed nothing.
    Rejected(Rejection),
}

/// What an accepted entry brought about.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
pub struct Accepted {
    /// Index of the entry.
    pub index: Index,
    /// The evaluation that it created for the job or node at hand; the first one if there are several.
    pub evaluation: Option<EvaluationId>,
    /// All evaluations that it created.
    pub evaluations: Vec<EvaluationId>,
    /// The job's modify index, if a job was registered.
    pub job_modify_index: Option<Index>,
    /// The version of the job that is current now, if a job was registered.
    pub job_version: Option<u64>,
    /// The deployment at hand.
    pub deployment: Option<DeploymentId>,
    /// The server id that was given out.
    pub server: Option<ServerId>,
    /// Placements of a plan that no longer fitted.
    pub rejected: Vec<RejectedPlacement>,
}

/// Why an entry changed nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Error)]
pub enum Rejection {
    /// An entry that was applied before, or would be applied too late.
    #[error("entry {index} comes after entry {last}")]
    OutOfOrder {
        /// Its index.
        index: Index,
        /// The index of the last entry that was applied.
        last: Index,
    },
    /// There is no such job.
    #[error("job not found")]
    NoSuchJob,
    /// The job has no such version.
    #[error("job has no version {version}")]
    NoSuchVersion {
        /// The version.
        version: u64,
    },
    /// The version is the current one already.
    #[error("can't revert to current version")]
    AlreadyCurrent,
    /// Someone else changed the job meanwhile.
    #[error("Enforcing job modify index {wanted}: {}", conflict(*found))]
    CheckIndex {
        /// The index that was asked for.
        wanted: Index,
        /// The job's; none where there is no such job.
        found: Option<Index>,
    },
    /// Someone else reverted or registered meanwhile.
    #[error("Current job has version {found}, but was asked to enforce version {wanted}")]
    CheckVersion {
        /// The version that was asked for.
        wanted: u64,
        /// The job's.
        found: u64,
    },
    /// There is no such node.
    #[error("node not found")]
    NoSuchNode,
    /// Another node bears the name.
    #[error("node name {name} belongs to node {node}, which is not down")]
    NodeNameTaken {
        /// The name.
        name: String,
        /// Who has it.
        node: NodeId,
    },
    /// The node belongs to an agent with another key.
    #[error(
        "node {node} belongs to an agent with another private key; an agent with an empty data folder becomes a new node, and \
         `sched node purge {node}` gives this one up"
    )]
    NodeOfAnother {
        /// The node.
        node: NodeId,
    },
    /// The node's agent is on another host, and is heard.
    #[error(
        "the agent of node {node} is on another host, or in another folder, and is heard: where its data folder was copied, \
         empty the copy, and it becomes a new node"
    )]
    NodeIsElsewhere {
        /// The node.
        node: NodeId,
    },
    /// There is no such allocation.
    #[error("allocation not found")]
    NoSuchAllocation,
    /// The allocation is over, or shall stop already.
    #[error("allocation is already stopped or stopping")]
    AlreadyStopped,
    /// There is no such deployment.
    #[error("deployment not found")]
    NoSuchDeployment,
    /// The deployment is over.
    #[error("can't change a deployment that is {status}")]
    DeploymentOver {
        /// How it ended.
        status: String,
    },
    /// No group has canaries that wait for promotion.
    #[error("no canaries to promote")]
    NoCanaries,
    /// Canaries are not healthy yet.
    #[error("group {group} has {healthy} of {wanted} healthy canaries")]
    CanariesUnhealthy {
        /// The group.
        group: String,
        /// Healthy canaries.
        healthy: u32,
        /// Canaries wanted.
        wanted: u32,
    },
    /// There is no such evaluation, or it is over.
    #[error("evaluation is gone or over")]
    EvaluationOver,
    /// A leader of an older term proposed it.
    #[error("proposed in term {proposed}, but a leader of term {current} is at work")]
    OldTerm {
        /// The proposer's term.
        proposed: Term,
        /// The newest term whose entries were applied.
        current: Term,
    },
    /// The plan is not the evaluation's next.
    #[error("plan {attempt} of the evaluation came where {wanted} was due")]
    WrongAttempt {
        /// The plan's number.
        attempt: u32,
        /// The number that was due.
        wanted: u32,
    },
    /// The job has another version than the plan was made with.
    #[error("the plan was made with another version of the job")]
    JobChanged,
    /// The plan does not follow the job's last one.
    #[error("the plan was made after {made_after} plans of the job, and {plans} have come")]
    PlannedMeanwhile {
        /// How many had changed something when it was made.
        made_after: u64,
        /// How many have by now.
        plans: u64,
    },
    /// All placements were wanted or none, and not all fit.
    #[error("not all placements of an all_at_once job fit any more")]
    NotAllAtOnce,
    /// The cluster was initialized before.
    #[error("the cluster is initialized already")]
    Initialized,
    /// Someone else changed the configuration meanwhile.
    #[error("the configuration was changed at index {found}")]
    ConfigurationChanged {
        /// When.
        found: Index,
    },
    /// There is no such server.
    #[error("server not found")]
    NoSuchServer,
    /// The server was removed for good.
    #[error("server {id} was removed from the cluster, and its id is never used again")]
    ServerRemoved {
        /// The server.
        id: ServerId,
    },
    /// The configuration can't be used.
    #[error("{fault}")]
    BadConfiguration {
        /// What is wrong with it.
        fault: String,
    },
    /// A part of a backup came out of order: another restore has begun meanwhile.
    #[error("part {part} of a backup came where {wanted} was due; begin again")]
    WrongPart {
        /// The part's number.
        part: u32,
        /// The number that was due.
        wanted: u32,
    },
    /// The backup can't be gone back to.
    #[error("the cluster can't be taken back to the backup: {reason}")]
    BadBackup {
        /// Why.
        reason: String,
    },
    /// There is no such volume.
    #[error("volume not found")]
    NoSuchVolume,
    /// There is no such claim to a volume.
    #[error("volume claim not found")]
    NoSuchVolumeClaim,
    /// The node has a volume of that name already.
    #[error("node {node} has a volume {name} already")]
    VolumeNameTaken {
        /// The name.
        name: String,
        /// The node.
        node: NodeId,
    },
    /// What a volume is called and where it is can't change.
    #[error("a volume keeps its name, namespace, node and plugin")]
    VolumeMoved,
    /// The volume is used.
    #[error("volume is in use by allocation {allocation}")]
    VolumeInUse {
        /// One that uses it.
        allocation: AllocationId,
    },
    /// Something on the node is not over yet.
    #[error("allocations are still held on the node")]
    NotDrained,
    /// Another rebalance is not over yet.
    #[error("rebalance {index} is running; wait for it, or cancel it first")]
    RebalanceRuns {
        /// Its index.
        index: Index,
    },
    /// No rebalance is running.
    #[error("no rebalance is running")]
    NoRebalance,
    /// The cluster is not the one that the moves were proposed for.
    #[error(
        "the cluster has changed since the plan: it was made at index {wanted}, the last change is at {found}; plan again"
    )]
    ClusterChanged {
        /// The index that was asked for.
        wanted: Index,
        /// The index of the last change.
        found: Index,
    },
    /// A rebalance without moves.
    #[error("nothing to move")]
    NoMoves,
    /// More moves than a rebalance may have.
    #[error("{moves} moves are too many, at most {max} are allowed")]
    TooManyMoves {
        /// Moves that were asked for.
        moves: u32,
        /// The limit.
        max: u32,
    },
}

/// Nomad's words, which clients search for.
fn conflict(found: Option<Index>) -> String {
    match found {
        Some(index) => format!("job exists with conflicting job modify index: {index}"),
        None => "job does not exist".into(),
    }
}
