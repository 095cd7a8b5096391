//! The one planner: takes the next evaluation, asks the core, and puts the plan into the log.
//!
//! It plans ahead of the log: on a state that holds its own plans as if they were committed, so it need not wait for one
//! before it decides the next. That state is built anew from the committed one and the plans in flight, each of which is
//! applied once more, so not without need: when a plan comes out differently, when the committed state has something to
//! decide that comes before all that is known here, and after many plans, since nodes change meanwhile.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use model::{Evaluation, EvaluationId, EvaluationStatus, Index, Term, Timestamp};
use server_core::apply::{self, Answer};
use server_core::command::{Command, Entry};
use server_core::evaluations;
use server_core::evaluations::{BlockedWatch, Nodes};
use server_core::limits::{EVALUATION_ATTEMPTS_MAX, INSTANCES_AHEAD_MAX, PLANS_AHEAD_MAX, PLANS_IN_FLIGHT_MAX};
use server_core::plan::Plan;
use server_core::schedule::{Decision, Scheduler, has_chance};
use server_core::state::State;
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
    let mut blocked = BlockedWatch::default();
    let mut ahead = Ahead::of(&states.borrow_and_update(), &in_flight, term);
    let mut scheduler = Scheduler::default();
    loop {
        let now = server.now();
        let committed = states.borrow_and_update().clone();
        let is_free = has_room(&in_flight);
        let mut next = None;
        if is_free {
            let is_passed = ahead.is_old() || evaluations::overtakes(&committed, &ahead.state, now);
            next = if is_passed { None } else { ahead.next(&mut blocked, now) };
            if next.is_none() && (is_passed || in_flight.is_empty() || has_blocked(&committed)) {
                match (ahead.is_wrong, in_flight.is_empty()) {
                    (true, _) => blocked.try_again(),
                    (false, true) => blocked.settle(),
                    (false, false) => {}
                }
                blocked.look(&committed);
                ahead = Ahead::of(&committed, &in_flight, term);
                next = ahead.next(&mut blocked, now);
            }
        }
        match next {
            Some(evaluation) => {
                let entry = plan_ahead(&server, &mut scheduler, &mut ahead, &evaluation, now).await;
                let (id, attempt) = (evaluation.id, evaluation.attempts);
                let command = entry.command.clone();
                in_flight.push_back(InFlight { evaluation: id, attempt, entry });
                let (server, landed) = (server.clone(), landed_sender.clone());
                // The task outlives this planner if leadership ends: the plan is fenced by its term.
                tokio::spawn(async move {
                    let answer = server.propose_own(command).await;
                    let _ = landed.send((id, attempt, answer)).await;
                });
            }
            None => {
                let due = evaluations::next_due(&ahead.state).map_or(IDLE_MAX, |at| at.since(now));
                tokio::select! {
                    biased;
                    Some(landed) = landed.recv() => ahead.forget(&mut in_flight, landed),
                    changed = states.changed() => if changed.is_err() { return },
                    () = sleep(due.clamp(Duration::from_millis(1), IDLE_MAX)) => {}
                }
            }
        }
        while let Ok(landed) = landed.try_recv() {
            ahead.forget(&mut in_flight, landed);
        }
    }
}

/// Whether another plan may be proposed before one of these has landed.
fn has_room(in_flight: &VecDeque<InFlight>) -> bool {
    in_flight.len() < PLANS_IN_FLIGHT_MAX
}

/// Whether something waits for what nodes may have gained, of which the state ahead knows nothing.
fn has_blocked(committed: &State) -> bool {
    committed.open_evaluations(EvaluationStatus::Blocked).next().is_some()
}

/// Decides `evaluation` on the state ahead, which holds the plan from then on.
async fn plan_ahead(
    server: &Server,
    scheduler: &mut Scheduler,
    ahead: &mut Ahead,
    evaluation: &Arc<Evaluation>,
    now: Timestamp,
) -> Entry {
    let term = ahead.term;
    let entry = |plan: Plan| Entry {
        at: now,
        request: None,
        caller: format!("planner of server {}", server.inner.config.id),
        command: Command::Plan(Box::new(plan)),
    };
    let plan = decide(server, scheduler, &ahead.state, evaluation, term).await;
    let plan = ahead.stamp(plan);
    ahead.plans += 1;
    ahead.instances += plan.instances();
    let decided = entry(plan);
    if ahead.apply(&decided) {
        return decided;
    }
    // Planner and `apply` disagree, and the same plan would be made for ever.
    tracing::error!(evaluation = %evaluation.id, job = %evaluation.job, "apply rejects the planner's plan");
    let given_up = entry(ahead.stamp(give_up(&ahead.state, evaluation, term, "apply rejected the plan")));
    ahead.apply(&given_up);
    given_up
}

/// A committed state with plans as if they were committed.
struct Ahead {
    state: State,
    /// Index of the committed state.
    committed: Index,
    term: Term,
    /// Plans that were made on it.
    plans: usize,
    /// Instances that these place.
    instances: u32,
    /// Whether something came out differently.
    is_wrong: bool,
}

impl Ahead {
    /// `committed` with the plans that are still in flight.
    fn of(committed: &State, in_flight: &VecDeque<InFlight>, term: Term) -> Self {
        let (state, index) = (committed.clone(), committed.index());
        let mut ahead = Self { state, committed: index, term, plans: 0, instances: 0, is_wrong: false };
        for plan in in_flight {
            let known = ahead.state.evaluation(plan.evaluation);
            if known.is_some_and(|known| known.attempts == plan.attempt) {
                ahead.apply(&plan.entry);
            }
        }
        ahead
    }

    /// Whether the committed state must be looked at: it may hold something more urgent by now.
    fn is_old(&self) -> bool {
        self.is_wrong || self.plans >= PLANS_AHEAD_MAX || self.instances >= INSTANCES_AHEAD_MAX
    }

    /// The plan with the index of what was seen for it. What the state ahead counts beyond the committed one are guesses: it
    /// has seen nothing of what comes there.
    fn stamp(&self, plan: Plan) -> Plan {
        Plan { snapshot_index: self.committed, ..plan }
    }

    /// The evaluation to decide next.
    fn next(&self, blocked: &mut BlockedWatch, now: Timestamp) -> Option<Arc<Evaluation>> {
        // One that panics when it is looked at has its turn, in which it is given up.
        let has_chance = |evaluation: &Evaluation, nodes: &Nodes| {
            let look = || has_chance(&self.state, &evaluation.job, nodes, now);
            catch_unwind(AssertUnwindSafe(look)).unwrap_or(true)
        };
        evaluations::next_by(&self.state, blocked, now, has_chance).cloned()
    }

    /// Takes a plan in. False if `apply` rejects it, or panics: then nothing of it is kept.
    fn apply(&mut self, entry: &Entry) -> bool {
        let mut state = self.state.clone();
        let index = state.index() + 1;
        let applied = catch_unwind(AssertUnwindSafe(|| apply::apply(&mut state, index, self.term, entry).answer));
        let is_accepted = matches!(applied, Ok(Answer::Accepted(_)));
        if applied.is_ok() {
            self.state = state;
        }
        is_accepted
    }

    /// A plan has landed; what it came to is seen in the committed state.
    fn forget(&mut self, in_flight: &mut VecDeque<InFlight>, (evaluation, attempt, answer): Landed) {
        in_flight.retain(|plan| (plan.evaluation, plan.attempt) != (evaluation, attempt));
        match answer {
            Ok(Answer::Accepted(accepted)) if accepted.rejected.is_empty() => return,
            Ok(Answer::Accepted(accepted)) => {
                tracing::debug!(%evaluation, rejected = ?accepted.rejected, "part of a plan no longer fitted");
            }
            Ok(Answer::Rejected(rejection)) => tracing::debug!(%evaluation, %rejection, "a plan was rejected"),
            Err(error) => tracing::warn!(%evaluation, %error, "a plan was not committed"),
        }
        self.is_wrong = true;
    }
}

/// Asks the core, on a thread where it may take its time. A panic there is this evaluation's failure and nobody else's.
async fn decide(
    server: &Server,
    scheduler: &mut Scheduler,
    state: &State,
    evaluation: &Arc<Evaluation>,
    term: Term,
) -> Plan {
    if is_tried_enough(evaluation) {
        return give_up(state, evaluation, term, "maximum attempts reached");
    }
    let now = server.now();
    let asked = evaluation.clone();
    let snapshot = state.clone();
    // What a panic leaves of a scheduler is not to be trusted; a new one reads all nodes once.
    let mut working = std::mem::take(scheduler);
    let decide = move || {
        let decided = catch_unwind(AssertUnwindSafe(|| working.decide(&snapshot, &asked, now)));
        decided.map(|decision| (decision, working)).map_err(drop)
    };
    match server.inner.seams.blocking.run(decide).await {
        Ok(Ok((Decision { plan, .. }, working))) => {
            *scheduler = working;
            Plan { term, ..plan }
        }
        Ok(Err(())) | Err(_) => {
            tracing::error!(evaluation = %evaluation.id, job = %evaluation.job, "the scheduler panicked");
            give_up(state, evaluation, term, "the scheduler panicked on this evaluation")
        }
    }
}

/// Whether no further plan is made for it.
fn is_tried_enough(evaluation: &Evaluation) -> bool {
    // One that is blocked has its turn because something changed.
    evaluation.attempts >= EVALUATION_ATTEMPTS_MAX && evaluation.status == EvaluationStatus::Pending
}

/// A plan that changes nothing and ends the evaluation.
fn give_up(state: &State, evaluation: &Evaluation, term: Term, description: &str) -> Plan {
    Plan { term, ..Plan::giving_up(state, evaluation, description) }
}

#[cfg(test)]
mod tests;
