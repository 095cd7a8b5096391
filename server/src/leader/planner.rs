//! The one planner: takes the next evaluation, asks the core, and puts the plan into the log.
//!
//! It plans ahead of the log: on a state that holds its own plans in flight as if they were committed, so it need not
//! wait for one before it decides the next. Whatever comes out differently is seen in the committed state, from which
//! the speculative one is built anew each time.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use model::{Evaluation, EvaluationId, Term};
use server_core::apply::{self, Answer};
use server_core::command::{Command, Entry};
use server_core::limits::{EVALUATION_ATTEMPTS_MAX, PLANS_IN_FLIGHT_MAX};
use server_core::plan::{DeploymentChange, Outcome, Plan, Progress};
use server_core::schedule::schedule;
use server_core::state::State;
use server_core::{evaluations, schedule};
use tokio::sync::mpsc;
use tokio::time::sleep;

use crate::cluster::ClusterError;
use crate::server::Server;

/// Looks for evaluations this often even if nothing seems to change.
const IDLE_MAX: Duration = Duration::from_secs(1);

/// A plan that was proposed and is not seen in the committed state yet.
struct InFlight {
    evaluation: EvaluationId,
    attempt: u32,
    entry: Entry,
}

type Landed = (EvaluationId, u32, Result<Answer, ClusterError>);

pub(super) async fn run(server: Server, term: Term) {
    let mut states = server.inner.states.clone();
    let (landed_sender, mut landed) = mpsc::channel::<Landed>(PLANS_IN_FLIGHT_MAX);
    let mut in_flight: VecDeque<InFlight> = VecDeque::new();
    loop {
        let committed = states.borrow_and_update().clone();
        let speculative = speculate(&committed, &in_flight, term);
        let now = server.now();
        let next = evaluations::next(&speculative, now).cloned();
        match next.filter(|_| in_flight.len() < PLANS_IN_FLIGHT_MAX) {
            Some(evaluation) => {
                let plan = decide(&server, &speculative, &evaluation, term).await;
                let plan = if is_accepted(&speculative, &plan, term) {
                    plan
                } else {
                    tracing::error!(evaluation = %evaluation.id, job = %evaluation.job, "apply rejects the planner's plan");
                    give_up(&speculative, &evaluation, term, "apply rejected the plan")
                };
                let (id, attempt) = (plan.evaluation, plan.attempt);
                let command = Command::Plan(Box::new(plan));
                let caller = format!("planner of server {}", server.inner.config.id);
                let entry = Entry { at: now, request: None, caller, command: command.clone() };
                in_flight.push_back(InFlight { evaluation: id, attempt, entry });
                let (server, landed) = (server.clone(), landed_sender.clone());
                // The task outlives this planner if leadership ends: the plan is fenced by its term.
                tokio::spawn(async move {
                    let answer = server.propose_own(command).await;
                    let _ = landed.send((id, attempt, answer)).await;
                });
            }
            None => {
                let due = evaluations::next_due(&speculative).map_or(IDLE_MAX, |at| at.since(now));
                tokio::select! {
                    biased;
                    Some(landed) = landed.recv() => forget(&mut in_flight, landed),
                    changed = states.changed() => if changed.is_err() { return },
                    () = sleep(due.clamp(Duration::from_millis(1), IDLE_MAX)) => {}
                }
            }
        }
        while let Ok(landed) = landed.try_recv() {
            forget(&mut in_flight, landed);
        }
    }
}

/// The committed state with the plans in flight as if they were committed.
fn speculate(committed: &State, in_flight: &VecDeque<InFlight>, term: Term) -> State {
    let mut state = committed.clone();
    for plan in in_flight {
        let is_new = state.evaluation(plan.evaluation).is_some_and(|known| known.attempts == plan.attempt);
        if is_new {
            let index = state.index() + 1;
            apply::apply(&mut state, index, term, &plan.entry);
        }
    }
    state
}

fn forget(in_flight: &mut VecDeque<InFlight>, (evaluation, attempt, answer): Landed) {
    in_flight.retain(|plan| (plan.evaluation, plan.attempt) != (evaluation, attempt));
    match answer {
        Ok(Answer::Accepted(accepted)) if accepted.rejected.is_empty() => {}
        Ok(Answer::Accepted(accepted)) => {
            tracing::debug!(%evaluation, rejected = ?accepted.rejected, "part of a plan no longer fitted");
        }
        Ok(Answer::Rejected(rejection)) => tracing::debug!(%evaluation, %rejection, "a plan was rejected"),
        Err(error) => tracing::warn!(%evaluation, %error, "a plan was not committed"),
    }
}

/// Asks the core, on a thread where it may take its time. A panic there is this evaluation's failure and nobody else's.
async fn decide(server: &Server, state: &State, evaluation: &Arc<Evaluation>, term: Term) -> Plan {
    let now = server.now();
    let asked = evaluation.clone();
    if asked.attempts >= EVALUATION_ATTEMPTS_MAX {
        return give_up(state, evaluation, term, "maximum attempts reached");
    }
    let snapshot = state.clone();
    let decided = server
        .inner
        .seams
        .blocking
        .run(move || catch_unwind(AssertUnwindSafe(|| schedule(&snapshot, &asked, now))).map_err(drop))
        .await;
    match decided {
        Ok(Ok(schedule::Decision { plan, .. })) => Plan { term, ..plan },
        Ok(Err(())) | Err(_) => {
            tracing::error!(evaluation = %evaluation.id, job = %evaluation.job, "the scheduler panicked");
            give_up(state, evaluation, term, "the scheduler panicked on this evaluation")
        }
    }
}

/// Whether `apply` would take the plan on the state that it was made from. If not, planner and `apply` disagree, and the
/// same plan would be made for ever.
fn is_accepted(state: &State, plan: &Plan, term: Term) -> bool {
    let entry = Entry {
        at: model::Timestamp::default(),
        request: None,
        caller: String::new(),
        command: Command::Plan(Box::new(plan.clone())),
    };
    let mut tried = state.clone();
    let index = tried.index() + 1;
    matches!(apply::apply(&mut tried, index, term, &entry).answer, Answer::Accepted(_))
}

/// A plan that changes nothing and ends the evaluation.
fn give_up(state: &State, evaluation: &Evaluation, term: Term, description: &str) -> Plan {
    let record = state.job(&evaluation.job);
    Plan {
        evaluation: evaluation.id,
        attempt: evaluation.attempts,
        term,
        snapshot_index: state.index(),
        job: evaluation.job.clone(),
        job_version: record.map_or(0, |record| record.current().version),
        job_modify_index: record.map_or(0, |record| record.job_modify_index),
        supersedes: Vec::new(),
        stops: Vec::new(),
        updates_in_place: Vec::new(),
        placements: Vec::new(),
        deployment: DeploymentChange::None,
        outcome: Outcome {
            progress: Progress::Failed { description: description.into() },
            unplaced: Default::default(),
            queued: Default::default(),
            follow_ups: Vec::new(),
        },
    }
}
