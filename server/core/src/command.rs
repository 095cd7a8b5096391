//! Commands: the only way to change the state.

mod entry;
mod records;

use std::collections::BTreeMap;
use std::sync::Arc;

use model::{
    AllocationId, DeploymentId, DeploymentStatus, DynamicVolume, Eligibility, EvaluationId, Index, Job, JobKey, Node,
    NodeId, NodeStatus, Observation, ServerId, TaskStates, Term, VolumeClaimId, VolumeId,
};
use serde::{Deserialize, Serialize};

use crate::autopilot::AutopilotConfiguration;
use crate::plan::Plan;
use crate::rebalance::{Ask, End, Move};

pub use entry::{DecodeEntry, Entry};
pub use records::{
    DrainSpec, Holder, JoinTokenRecord, NodeSession, Preemption, SchedulerConfiguration, ServerRecord, Submission,
};

/// A change of the state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Command {
    /// The first entry of a cluster.
    InitializeCluster {
        /// Its id.
        cluster: model::ClusterId,
    },
    /// Registers a job or a new version of it. The document is complete and valid (`admit`).
    RegisterJob {
        /// The document.
        job: Arc<Job>,
        /// Registers only if the job's modify index is this one; 0 for a job that must not exist.
        check_index: Option<Index>,
        /// What the person sent, for people.
        submission: Option<Arc<Submission>>,
    },
    /// Stops a job.
    DeregisterJob {
        /// The job.
        job: JobKey,
        /// Whether it is forgotten at once.
        purge: bool,
    },
    /// Registers an older version of a job anew.
    RevertJob {
        /// The job.
        job: JobKey,
        /// The version to go back to.
        version: u64,
        /// Reverts only if this is the current version.
        check_version: Option<u64>,
    },
    /// Marks a version as one that a failed deployment may go back to.
    SetJobStability {
        /// The job.
        job: JobKey,
        /// The version.
        version: u64,
        /// Whether it is stable.
        stable: bool,
    },
    /// Evaluates a job again.
    EvaluateJob {
        /// The job.
        job: JobKey,
        /// Whether what failed is placed anew at once, whatever its group's policy says.
        #[serde(default)]
        force_reschedule: bool,
    },
    /// An agent describes its node: a new one, or one that returned or changed.
    RegisterNode {
        /// The node.
        node: Arc<Node>,
        /// The agent's session with the server that proposes this; none for one that is not counted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        session: Option<NodeSession>,
    },
    /// The leader's clocks found nodes silent, or heard them again.
    SetNodeStatus {
        /// Each node with its new status.
        changes: Vec<(NodeId, NodeStatus)>,
        /// The entries up to this one had been applied when the clocks were looked at; none if that is not said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seen: Option<Index>,
        /// The leader's term; an older one is rejected.
        term: Term,
    },
    /// Marks a node as open or closed for new work.
    SetNodeEligibility {
        /// The node.
        node: NodeId,
        /// Open or closed.
        eligibility: Eligibility,
    },
    /// Begins or ends a drain.
    DrainNode {
        /// The node.
        node: NodeId,
        /// How; none to end it.
        drain: Option<DrainSpec>,
        /// When ending it, whether the node is open again.
        mark_eligible: bool,
        /// What the person notes.
        meta: BTreeMap<String, String>,
    },
    /// A drain is over: nothing is held on the node any more.
    CompleteDrain {
        /// The node.
        node: NodeId,
        /// The leader's term.
        term: Term,
    },
    /// Forgets a node and declares what it ran lost.
    PurgeNode {
        /// The node.
        node: NodeId,
    },
    /// What agents observed, batched by the server that serves them.
    Observe {
        /// Observations per node.
        nodes: Vec<(NodeId, Vec<Observation<TaskStates>>)>,
        /// The session in which each node's agent said it; what was said in none is taken whenever it comes.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        sessions: BTreeMap<NodeId, Index>,
    },
    /// A person stops an allocation; another takes its place.
    StopAllocation {
        /// The allocation.
        allocation: AllocationId,
    },
    /// Allocations shall move off their draining nodes.
    Migrate {
        /// These may be replaced first.
        allocations: Vec<AllocationId>,
        /// These must end at once: the drain's deadline has passed.
        stops: Vec<AllocationId>,
        /// The leader's term.
        term: Term,
    },
    /// What the planner decided.
    Plan(Box<Plan>),
    /// The leader's watch over deployments found that one is over.
    EndDeployment {
        /// The deployment.
        deployment: DeploymentId,
        /// How it ended.
        status: DeploymentStatus,
        /// Why, in words.
        description: String,
        /// The version to go back to.
        revert_to: Option<u64>,
        /// The leader's term; none for a person.
        term: Option<Term>,
    },
    /// Canaries are good: the rest follows.
    PromoteDeployment {
        /// The deployment.
        deployment: DeploymentId,
        /// The groups; none for all.
        groups: Option<Vec<String>>,
        /// The leader's term; none for a person.
        term: Option<Term>,
    },
    /// Stops a deployment for a while, or lets it go on.
    PauseDeployment {
        /// The deployment.
        deployment: DeploymentId,
        /// Whether it shall pause.
        pause: bool,
    },
    /// Says which allocations are healthy where no agent does: a person, or the leader of work that has run for its time.
    SetAllocationHealth {
        /// The deployment.
        deployment: DeploymentId,
        /// Healthy ones.
        healthy: Vec<AllocationId>,
        /// Unhealthy ones.
        unhealthy: Vec<AllocationId>,
        /// The leader's term; none for a person.
        term: Option<Term>,
    },
    /// Forgets what is over and old.
    Collect {
        /// Evaluations.
        evaluations: Vec<EvaluationId>,
        /// Allocations.
        allocations: Vec<AllocationId>,
        /// Deployments.
        deployments: Vec<DeploymentId>,
        /// Jobs.
        jobs: Vec<JobKey>,
        /// Nodes.
        nodes: Vec<NodeId>,
        /// The leader's term; none for a person.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        term: Option<Term>,
    },
    /// Gives out a server id, which is never given out again.
    AllocateServer {
        /// The server's name.
        name: String,
        /// Its RPC address.
        address: String,
        /// Its HTTP address.
        http_address: String,
    },
    /// A server says where it is and what it speaks.
    AnnounceServer {
        /// The server.
        server: ServerRecord,
    },
    /// Forgets a server that leaves for good. Its id is never taken in again.
    ForgetServer {
        /// The server.
        id: ServerId,
        /// The leader's term, if it was found to be dead; none for a person.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        term: Option<Term>,
    },
    /// A token that lets servers or agents join.
    PutJoinToken {
        /// The token, without its secret.
        token: JoinTokenRecord,
    },
    /// The version that all servers speak.
    SetClusterVersion {
        /// The version.
        version: u32,
    },
    /// How servers are judged, and dead ones removed.
    SetAutopilotConfiguration {
        /// The configuration.
        configuration: AutopilotConfiguration,
        /// Sets only if the configuration's modify index is this one.
        check_index: Option<Index>,
    },
    /// A part of a state to which the cluster is taken back; the last part does it.
    RestoreState {
        /// Which part, counted from 1; they come in order.
        part: u32,
        /// How many there are.
        parts: u32,
        /// BLAKE3 of all of them together.
        hash: [u8; 32],
        /// The part.
        bytes: Vec<u8>,
    },
    /// Registers a volume of a host, or changes one: made there by a plugin, or found there.
    PutVolume {
        /// The volume.
        volume: Arc<DynamicVolume>,
    },
    /// A volume is about to be deleted: nothing new may use it.
    CloseVolume {
        /// The volume.
        id: VolumeId,
    },
    /// A volume is gone, with every claim to it.
    ForgetVolume {
        /// The volume.
        id: VolumeId,
    },
    /// Forgets what an instance has come to have: it need not come back to its volume.
    DropVolumeClaim {
        /// The claim.
        id: VolumeClaimId,
    },
    /// How the scheduler chooses.
    SetSchedulerConfiguration {
        /// The configuration.
        configuration: SchedulerConfiguration,
        /// Sets only if the configuration's modify index is this one.
        check_index: Option<Index>,
    },
    /// A person has instances moved to other nodes.
    BeginRebalance {
        /// What was asked.
        ask: Ask,
        /// The moves that were proposed for it, in order.
        moves: Vec<Move>,
        /// Begins only if nothing that the proposal depends on has changed since this index.
        check_index: Option<Index>,
    },
    /// The leader moves a rebalance on.
    StepRebalance {
        /// The rebalance.
        index: Index,
        /// The instance whose move begins.
        start: Option<AllocationId>,
        /// Moves that are over.
        ends: Vec<End>,
        /// Why no more shall begin, if a move failed.
        abort: Option<String>,
        /// The leader's term.
        term: Term,
    },
    /// A person ends the rebalance that runs; what moves already moves on.
    CancelRebalance,
}

impl Command {
    /// The number of its kind in the log. A number is never given to another kind.
    fn kind(&self) -> u16 {
        match self {
            Command::InitializeCluster { .. } => 1,
            Command::RegisterJob { .. } => 2,
            Command::DeregisterJob { .. } => 3,
            Command::RevertJob { .. } => 4,
            Command::SetJobStability { .. } => 5,
            Command::EvaluateJob { .. } => 6,
            Command::RegisterNode { .. } => 7,
            Command::SetNodeStatus { .. } => 8,
            Command::SetNodeEligibility { .. } => 9,
            Command::DrainNode { .. } => 10,
            Command::CompleteDrain { .. } => 11,
            Command::PurgeNode { .. } => 12,
            Command::Observe { .. } => 13,
            Command::StopAllocation { .. } => 14,
            Command::Migrate { .. } => 15,
            Command::Plan(_) => 16,
            Command::EndDeployment { .. } => 17,
            Command::PromoteDeployment { .. } => 18,
            Command::PauseDeployment { .. } => 19,
            Command::SetAllocationHealth { .. } => 20,
            Command::Collect { .. } => 21,
            Command::AllocateServer { .. } => 22,
            Command::AnnounceServer { .. } => 23,
            Command::ForgetServer { .. } => 24,
            Command::PutJoinToken { .. } => 25,
            Command::SetClusterVersion { .. } => 26,
            Command::SetSchedulerConfiguration { .. } => 27,
            Command::PutVolume { .. } => 31,
            Command::CloseVolume { .. } => 32,
            Command::ForgetVolume { .. } => 33,
            Command::DropVolumeClaim { .. } => 34,
            Command::BeginRebalance { .. } => 28,
            Command::StepRebalance { .. } => 29,
            Command::CancelRebalance => 30,
            Command::SetAutopilotConfiguration { .. } => 40,
            Command::RestoreState { .. } => 41,
        }
    }

    /// The word for logs and traces.
    pub fn name(&self) -> &'static str {
        match self {
            Command::InitializeCluster { .. } => "initialize-cluster",
            Command::RegisterJob { .. } => "register-job",
            Command::DeregisterJob { .. } => "deregister-job",
            Command::RevertJob { .. } => "revert-job",
            Command::SetJobStability { .. } => "set-job-stability",
            Command::EvaluateJob { .. } => "evaluate-job",
            Command::RegisterNode { .. } => "register-node",
            Command::SetNodeStatus { .. } => "set-node-status",
            Command::SetNodeEligibility { .. } => "set-node-eligibility",
            Command::DrainNode { .. } => "drain-node",
            Command::CompleteDrain { .. } => "complete-drain",
            Command::PurgeNode { .. } => "purge-node",
            Command::Observe { .. } => "observe",
            Command::StopAllocation { .. } => "stop-allocation",
            Command::Migrate { .. } => "migrate",
            Command::Plan(_) => "plan",
            Command::EndDeployment { .. } => "end-deployment",
            Command::PromoteDeployment { .. } => "promote-deployment",
            Command::PauseDeployment { .. } => "pause-deployment",
            Command::SetAllocationHealth { .. } => "set-allocation-health",
            Command::Collect { .. } => "collect",
            Command::AllocateServer { .. } => "allocate-server",
            Command::AnnounceServer { .. } => "announce-server",
            Command::ForgetServer { .. } => "forget-server",
            Command::PutJoinToken { .. } => "put-join-token",
            Command::SetClusterVersion { .. } => "set-cluster-version",
            Command::SetSchedulerConfiguration { .. } => "set-scheduler-configuration",
            Command::PutVolume { .. } => "put-volume",
            Command::CloseVolume { .. } => "close-volume",
            Command::ForgetVolume { .. } => "forget-volume",
            Command::DropVolumeClaim { .. } => "drop-volume-claim",
            Command::BeginRebalance { .. } => "begin-rebalance",
            Command::StepRebalance { .. } => "step-rebalance",
            Command::CancelRebalance => "cancel-rebalance",
            Command::SetAutopilotConfiguration { .. } => "set-autopilot-configuration",
            Command::RestoreState { .. } => "restore-state",
        }
    }

    /// The term of the leader whose own loops decided it, which is rejected once another leads; none for what people,
    /// servers and agents ask, or may ask too.
    pub fn decided_in(&self) -> Option<Term> {
        match self {
            Command::SetNodeStatus { term, .. }
            | Command::CompleteDrain { term, .. }
            | Command::Migrate { term, .. }
            | Command::StepRebalance { term, .. } => Some(*term),
            Command::Plan(plan) => Some(plan.term),
            Command::EndDeployment { term, .. }
            | Command::PromoteDeployment { term, .. }
            | Command::SetAllocationHealth { term, .. }
            | Command::Collect { term, .. }
            | Command::ForgetServer { term, .. } => *term,
            Command::InitializeCluster { .. }
            | Command::RegisterJob { .. }
            | Command::DeregisterJob { .. }
            | Command::RevertJob { .. }
            | Command::SetJobStability { .. }
            | Command::EvaluateJob { .. }
            | Command::RegisterNode { .. }
            | Command::SetNodeEligibility { .. }
            | Command::DrainNode { .. }
            | Command::PurgeNode { .. }
            | Command::Observe { .. }
            | Command::StopAllocation { .. }
            | Command::PauseDeployment { .. }
            | Command::AllocateServer { .. }
            | Command::AnnounceServer { .. }
            | Command::PutJoinToken { .. }
            | Command::SetClusterVersion { .. }
            | Command::SetAutopilotConfiguration { .. }
            | Command::RestoreState { .. }
            | Command::PutVolume { .. }
            | Command::CloseVolume { .. }
            | Command::ForgetVolume { .. }
            | Command::DropVolumeClaim { .. }
            | Command::SetSchedulerConfiguration { .. }
            | Command::BeginRebalance { .. }
            | Command::CancelRebalance => None,
        }
    }
}
