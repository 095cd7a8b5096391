//! The only writer of the state: one entry of the log at a time, the same on every server.
//!
//! Total: a committed entry cannot fail, it is accepted or rejected with a reason. What it checks is arithmetic: does
//! it still fit, is it still the version it was decided on. Reactions (wake the planner, tell an agent) are the
//! shell's, from what [`Applied`] says.

mod allocation;
mod answer;
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
    DeploymentId, Evaluation, EvaluationId, EvaluationStatus, Index, JobKey, JobType, NodeId, Term, Timestamp, Trigger,
};

use crate::command::{Command, Entry};
use crate::limits::REQUESTS_REMEMBERED;
use crate::state::{Change, State};

pub use answer::{Accepted, Answer, Rejection};
pub use guard::Alarm;
pub use node::check_holder;
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

/// Applies the entry at `index`, proposed by the leader of `term`.
pub fn apply(state: &mut State, index: Index, term: Term, entry: &Entry) -> Applied {
    if let Err((rejection, alarm)) = guard::order(state.index, index) {
        return Applied { answer: Answer::Rejected(rejection), changes: Vec::new(), alarms: vec![alarm] };
    }
    state.index = index;
    state.term = state.term.max(term);
    state.time = state.time.max(entry.at);
    if let Some(request) = entry.request
        && let Some((_, answer)) = state.requests.get(&request)
    {
        return Applied { answer: Answer::clone(answer), changes: Vec::new(), alarms: Vec::new() };
    }
    let before = state.clone();
    let mut entry_at_work = AtWork {
        at: entry.at,
        index,
        evaluations: Vec::new(),
        of_jobs: BTreeMap::new(),
        named_after: None,
        alarms: Vec::new(),
    };
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
    if let Some(term) = command.decided_in() {
        check_term(state, term)?;
    }
    match command {
        Command::InitializeCluster { cluster } => cluster::initialize(state, *cluster),
        Command::RegisterJob { job, check_index, submission } => {
            job::register(state, work, job, *check_index, submission.clone())
        }
        Command::DeregisterJob { job, purge } => job::deregister(state, work, job, *purge),
        Command::RevertJob { job, version, check_version } => job::revert(state, work, job, *version, *check_version),
        Command::SetJobStability { job, version, stable } => job::set_stability(state, job, *version, *stable),
        Command::EvaluateJob { job, force_reschedule } => job::evaluate(state, work, job, *force_reschedule),
        Command::RegisterNode { node, session } => node::register(state, work, node, *session),
        Command::SetNodeStatus { changes, seen, .. } => node::set_status(state, work, changes, *seen),
        Command::SetNodeEligibility { node, eligibility } => node::set_eligibility(state, work, *node, *eligibility),
        Command::DrainNode { node, drain, mark_eligible, meta } => {
            node::drain(state, work, *node, drain.as_ref(), *mark_eligible, meta)
        }
        Command::CompleteDrain { node, .. } => node::complete_drain(state, work, *node),
        Command::PurgeNode { node } => node::purge(state, work, *node),
        Command::Observe { nodes, sessions } => allocation::observe(state, work, nodes, sessions),
        Command::StopAllocation { allocation } => allocation::stop(state, work, *allocation),
        Command::Migrate { allocations, stops, .. } => allocation::migrate(state, work, allocations, stops),
        Command::Plan(plan) => plan::apply_plan(state, work, plan),
        Command::EndDeployment { deployment, status, description, revert_to, .. } => {
            deployment::end(state, work, *deployment, *status, description, *revert_to)
        }
        Command::PromoteDeployment { deployment, groups, .. } => {
            deployment::promote(state, work, *deployment, groups.as_deref())
        }
        Command::PauseDeployment { deployment, pause } => deployment::pause(state, work, *deployment, *pause),
        Command::SetAllocationHealth { deployment, healthy, unhealthy, .. } => {
            deployment::set_health(state, work, *deployment, healthy, unhealthy)
        }
        Command::Collect { evaluations, allocations, deployments, jobs, nodes, .. } => {
            collect::collect(state, evaluations, allocations, deployments, jobs, nodes)
        }
        Command::AllocateServer { name, address, http_address } => {
            cluster::allocate_server(state, name, address, http_address)
        }
        Command::AnnounceServer { server } => cluster::announce_server(state, server),
        Command::ForgetServer { id, .. } => cluster::forget_server(state, *id),
        Command::PutJoinToken { token } => cluster::put_join_token(state, work, token),
        Command::SetClusterVersion { version } => cluster::set_version(state, *version),
        Command::PutVolume { volume } => volume::put(state, work, volume),
        Command::CloseVolume { id } => volume::close(state, work, *id),
        Command::ForgetVolume { id } => volume::forget(state, work, *id),
        Command::DropVolumeClaim { id } => volume::drop_claim(state, work, *id),
        Command::SetSchedulerConfiguration { configuration, check_index } => {
            cluster::set_scheduler(state, configuration, *check_index)
        }
        Command::SetAutopilotConfiguration { configuration, check_index } => {
            cluster::set_autopilot(state, *configuration, *check_index)
        }
        Command::RestoreState { part, parts, hash, bytes } => {
            restore::restore(state, work, *part, *parts, *hash, bytes)
        }
        Command::BeginRebalance { ask, moves, check_index } => rebalance::begin(state, work, ask, moves, *check_index),
        Command::StepRebalance { index, start, ends, abort, .. } => {
            rebalance::step(state, work, *index, *start, ends, abort.as_deref())
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
    /// The evaluation and the attempt of the plan after which new evaluations are named, if they are not after the index.
    named_after: Option<(EvaluationId, u32)>,
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
        let id = self.name(state, &wish);
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

    /// The id of an evaluation to be created. The planner goes on from plans that are not in the log yet, and knows neither
    /// their indexes nor whether all of them will be carried out: the same name must mean the same there and here.
    fn name(&self, state: &State, wish: &Wish) -> EvaluationId {
        let cluster = state.cluster.as_bytes();
        let Some((evaluation, attempt)) = self.named_after else {
            let ordinal = self.evaluations.len() as u64;
            return EvaluationId::derive(&[cluster, &self.index.to_le_bytes(), &ordinal.to_le_bytes(), b"evaluation"]);
        };
        let ordinal = self.of_jobs.get(&wish.job).map_or(0, Vec::len) as u64;
        EvaluationId::derive(&[
            cluster,
            evaluation.as_bytes(),
            &attempt.to_le_bytes(),
            wish.job.namespace.as_bytes(),
            wish.job.id.as_bytes(),
            wish.trigger.as_str().as_bytes(),
            &ordinal.to_le_bytes(),
            b"evaluation of a plan",
        ])
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
