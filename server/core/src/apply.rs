//! The only writer of the state: one entry of the log at a time, the same on every server.
//!
//! Total: a committed entry cannot fail, it is accepted or rejected with a reason. What it checks is arithmetic: does
//! it still fit, is it still the version it was decided on. Reactions (wake the planner, tell an agent) are the
//! shell's, from what [`Applied`] says.

mod allocation;
mod cluster;
mod collect;
mod deployment;
mod guard;
mod job;
mod node;
mod plan;
mod rebalance;
mod restore;
mod volume;

use std::collections::BTreeMap;
use std::sync::Arc;

use model::old_bugs::{OldBug, is_on};
use model::{
    AllocationId, DeploymentId, Evaluation, EvaluationId, EvaluationStatus, Index, JobKey, JobType, NodeId, ServerId,
    Term, Timestamp, Trigger,
};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::command::{Command, Entry};
use crate::limits::REQUESTS_REMEMBERED;
use crate::state::{Change, State};

pub use guard::Alarm;
pub use plan::RejectedPlacement;

/// What an entry did.
#[derive(Clone, Debug, PartialEq)]
pub struct Applied {
    /// The answer to whoever proposed it.
    pub answer: Answer,
    /// The objects that it changed, in order; none if it was rejected or a retry.
    pub changes: Vec<Change>,
    /// What it would have broken; the same on every server.
    pub alarms: Vec<Alarm>,
}

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
        id: model::ServerId,
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

/// Applies the entry at `index`, proposed by the leader of `term`.
pub fn apply(state: &mut State, index: Index, term: Term, entry: &Entry) -> Applied {
    if let Err((rejection, alarm)) = guard::order(state.index, index) {
        return Applied { answer: Answer::Rejected(rejection), changes: Vec::new(), alarms: vec![alarm] };
    }
    state.index = index;
    state.term = state.term.max(term);
    if let Some(request) = entry.request
        && let Some((_, answer)) = state.requests.get(&request)
    {
        return Applied { answer: Answer::clone(answer), changes: Vec::new(), alarms: Vec::new() };
    }
    let before = state.clone();
    let mut entry_at_work =
        AtWork { at: entry.at, index, evaluations: Vec::new(), of_jobs: BTreeMap::new(), alarms: Vec::new() };
    let answer = match dispatch(state, &mut entry_at_work, &entry.command) {
        Ok(mut accepted) => {
            accepted.index = index;
            accepted.evaluation = accepted.evaluation.or(entry_at_work.evaluations.first().copied());
            accepted.evaluations = std::mem::take(&mut entry_at_work.evaluations);
            Answer::Accepted(accepted)
        }
        Err(rejection) => {
            // A rejected entry changes nothing, whatever it had begun.
            *state = before;
            Answer::Rejected(rejection)
        }
    };
    if let Some(request) = entry.request.filter(|_| !is_on(OldBug::RequestsNotRemembered)) {
        remember(state, request, &answer);
    }
    Applied { answer, changes: std::mem::take(&mut state.changes), alarms: entry_at_work.alarms }
}

/// Advances the state past an entry that is not a command: a blank one, or a change of membership.
pub fn advance(state: &mut State, index: Index, term: Term) {
    state.index = index;
    state.term = state.term.max(term);
}

fn dispatch(state: &mut State, work: &mut AtWork, command: &Command) -> Result<Accepted, Rejection> {
    match command {
        Command::InitializeCluster { cluster } => cluster::initialize(state, *cluster),
        Command::RegisterJob { job, check_index, submission } => {
            job::register(state, work, job, *check_index, submission.clone())
        }
        Command::DeregisterJob { job, purge } => job::deregister(state, work, job, *purge),
        Command::RevertJob { job, version, check_version } => job::revert(state, work, job, *version, *check_version),
        Command::SetJobStability { job, version, stable } => job::set_stability(state, job, *version, *stable),
        Command::EvaluateJob { job, force_reschedule } => job::evaluate(state, work, job, *force_reschedule),
        Command::RegisterNode { node } => node::register(state, work, node),
        Command::SetNodeStatus { changes, term } => node::set_status(state, work, changes, *term),
        Command::SetNodeEligibility { node, eligibility } => node::set_eligibility(state, work, *node, *eligibility),
        Command::DrainNode { node, drain, mark_eligible, meta } => {
            node::drain(state, work, *node, drain.as_ref(), *mark_eligible, meta)
        }
        Command::CompleteDrain { node, term } => node::complete_drain(state, work, *node, *term),
        Command::PurgeNode { node } => node::purge(state, work, *node),
        Command::Observe { nodes } => allocation::observe(state, work, nodes),
        Command::StopAllocation { allocation } => allocation::stop(state, work, *allocation),
        Command::Migrate { allocations, stops, term } => allocation::migrate(state, work, allocations, stops, *term),
        Command::Plan(plan) => plan::apply_plan(state, work, plan),
        Command::EndDeployment { deployment, status, description, revert_to, term } => {
            deployment::end(state, work, *deployment, *status, description, *revert_to, *term)
        }
        Command::PromoteDeployment { deployment, groups } => {
            deployment::promote(state, work, *deployment, groups.as_deref())
        }
        Command::PauseDeployment { deployment, pause } => deployment::pause(state, work, *deployment, *pause),
        Command::SetAllocationHealth { deployment, healthy, unhealthy } => {
            deployment::set_health(state, work, *deployment, healthy, unhealthy)
        }
        Command::Collect { evaluations, allocations, deployments, jobs, nodes } => {
            collect::collect(state, evaluations, allocations, deployments, jobs, nodes)
        }
        Command::AllocateServer { name, address, http_address } => {
            cluster::allocate_server(state, name, address, http_address)
        }
        Command::AnnounceServer { server } => cluster::announce_server(state, server),
        Command::ForgetServer { id } => cluster::forget_server(state, *id),
        Command::PutJoinToken { token } => cluster::put_join_token(state, work, token),
        Command::SetClusterVersion { version } => cluster::set_version(state, *version),
        Command::PutVolume { volume } => volume::put(state, work, volume),
        Command::CloseVolume { id } => volume::close(state, work, *id),
        Command::ForgetVolume { id } => volume::forget(state, work, *id),
        Command::DropVolumeClaim { id } => volume::drop_claim(state, work, *id),
        Command::SetSchedulerConfiguration { configuration, check_index } => {
            cluster::set_scheduler(state, *configuration, *check_index)
        }
        Command::SetAutopilotConfiguration { configuration, check_index } => {
            cluster::set_autopilot(state, *configuration, *check_index)
        }
        Command::RestoreState { part, parts, hash, bytes } => {
            restore::restore(state, work, *part, *parts, *hash, bytes)
        }
        Command::BeginRebalance { ask, moves, check_index } => rebalance::begin(state, work, ask, moves, *check_index),
        Command::StepRebalance { index, start, ends, abort, term } => {
            rebalance::step(state, work, *index, *start, ends, abort.as_deref(), *term)
        }
        Command::CancelRebalance => rebalance::cancel(state, work),
    }
}

/// What the entry at work brings, and what it has created so far.
struct AtWork {
    at: Timestamp,
    index: Index,
    evaluations: Vec<EvaluationId>,
    /// The same by job: an entry of observations may concern many.
    of_jobs: BTreeMap<JobKey, Vec<EvaluationId>>,
    /// What it would have broken so far.
    alarms: Vec<Alarm>,
}

impl AtWork {
    /// Creates a pending evaluation of a job, unless this entry has created one for it already.
    fn evaluate(&mut self, state: &mut State, wish: Wish) -> EvaluationId {
        let known = |id: &&EvaluationId| state.evaluation(**id).is_some_and(|known| known.status == wish.status());
        match self.of_jobs.get(&wish.job).and_then(|of_job| of_job.iter().find(known)) {
            Some(id) => *id,
            None => self.create(state, wish),
        }
    }

    /// Creates an evaluation, whatever others there are.
    fn create(&mut self, state: &mut State, wish: Wish) -> EvaluationId {
        let ordinal = self.evaluations.len() as u64;
        let id = EvaluationId::derive(&[
            state.cluster.as_bytes(),
            &self.index.to_le_bytes(),
            &ordinal.to_le_bytes(),
            b"evaluation",
        ]);
        let evaluation = Evaluation {
            id,
            kind: wish.kind,
            priority: wish.priority,
            trigger: wish.trigger,
            node: wish.node,
            deployment: wish.deployment,
            status: wish.status(),
            description: String::new(),
            wait_until: wish.wait_until,
            previous: wish.previous,
            next: None,
            blocked: None,
            unplaced: Default::default(),
            queued: Default::default(),
            attempts: 0,
            snapshot_index: 0,
            create_index: self.index,
            modify_index: self.index,
            created_at: self.at,
            modified_at: self.at,
            job: wish.job,
        };
        self.of_jobs.entry(evaluation.job.clone()).or_default().push(id);
        self.save_evaluation(state, evaluation);
        self.evaluations.push(id);
        id
    }

    /// Stores a changed evaluation.
    fn save_evaluation(&self, state: &mut State, mut evaluation: Evaluation) {
        evaluation.modify_index = self.index;
        evaluation.modified_at = self.at;
        state.indexes.evaluations = self.index;
        state.changes.push(Change::Evaluation(evaluation.id));
        state.put_evaluation(evaluation);
    }
}

/// An evaluation to be created.
struct Wish {
    job: JobKey,
    kind: JobType,
    priority: u32,
    trigger: Trigger,
    node: Option<NodeId>,
    deployment: Option<DeploymentId>,
    previous: Option<EvaluationId>,
    wait_until: Option<Timestamp>,
    blocked: bool,
}

impl Wish {
    /// An evaluation of `job` because of `trigger`, as soon as possible.
    fn of(state: &State, job: &JobKey, trigger: Trigger) -> Self {
        let document = state.job(job).map(|record| &record.current().job);
        Self {
            job: job.clone(),
            kind: document.map(|job| job.kind).unwrap_or_default(),
            priority: document.map_or(50, |job| job.priority),
            trigger,
            node: None,
            deployment: None,
            previous: None,
            wait_until: None,
            blocked: false,
        }
    }

    fn status(&self) -> EvaluationStatus {
        if self.blocked { EvaluationStatus::Blocked } else { EvaluationStatus::Pending }
    }
}

/// Rejects what a leader proposed who is none any more.
fn check_term(state: &State, term: Term) -> Result<(), Rejection> {
    if term < state.term && !is_on(OldBug::OldTermObeyed) {
        Err(Rejection::OldTerm { proposed: term, current: state.term })
    } else {
        Ok(())
    }
}

fn remember(state: &mut State, request: [u8; 16], answer: &Answer) {
    let index = state.index;
    state.requests.insert(request, (index, Arc::new(answer.clone())));
    state.request_order.insert((index, request), ());
    while state.requests.len() > REQUESTS_REMEMBERED {
        let oldest = state.request_order.iter().next().map(|(key, ())| *key);
        let Some(oldest) = oldest else { break };
        state.request_order.remove(&oldest);
        state.requests.remove(&oldest.1);
    }
}

#[cfg(test)]
mod tests;
