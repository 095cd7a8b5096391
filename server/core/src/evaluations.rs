//! Which evaluation is next: of those that are pending, and of the blocked ones those that may find a place now.

mod blocked;

use std::cmp::{Ordering, Reverse};
use std::sync::Arc;

use model::{Evaluation, EvaluationId, EvaluationStatus, Index, Timestamp};

use crate::schedule::has_chance;
use crate::state::State;

pub use blocked::{BlockedWatch, Nodes};

/// The order in which evaluations are decided: the highest priority, then the oldest.
type Order = (Reverse<u32>, Index, EvaluationId);

fn order(evaluation: &Evaluation) -> Order {
    (Reverse(evaluation.priority), evaluation.create_index, evaluation.id)
}

/// The evaluation to decide next: the highest priority, then the oldest, of those that need not wait.
pub fn next<'a>(state: &'a State, blocked: &mut BlockedWatch, now: Timestamp) -> Option<&'a Arc<Evaluation>> {
    next_by(state, blocked, now, |evaluation, nodes| has_chance(state, &evaluation.job, nodes, now))
}

/// The same, where `has_chance` says whether a blocked evaluation would find a place on nodes that gained something.
pub fn next_by<'a>(
    state: &'a State,
    blocked: &mut BlockedWatch,
    now: Timestamp,
    has_chance: impl FnMut(&Evaluation, &Nodes) -> bool,
) -> Option<&'a Arc<Evaluation>> {
    let pending = first_pending(state, now);
    blocked.next_before(state, pending.map(|known| order(known)), has_chance).or(pending)
}

/// Of those that are pending and need not wait, the one to decide first.
fn first_pending(state: &State, now: Timestamp) -> Option<&Arc<Evaluation>> {
    let ready = state.open_evaluations(EvaluationStatus::Pending).next();
    ready.into_iter().chain(waited(state, now)).min_by_key(|known| order(known))
}

/// Those that have waited long enough.
fn waited(state: &State, now: Timestamp) -> impl Iterator<Item = &Arc<Evaluation>> {
    state.waiting_evaluations().take_while(move |waiting| waiting.wait_until.is_none_or(|at| at <= now))
}

/// Whether `committed` has something pending that comes before all that is pending in `ahead`, which was an earlier state and
/// went on with plans of its own, so that it knows nothing of it.
pub fn overtakes(committed: &State, ahead: &State, now: Timestamp) -> bool {
    let first = first_pending(ahead, now).map(|known| order(known));
    let is_before = |known: &Evaluation| first.is_none_or(|first| order(known) < first);
    let is_unknown = |known: &Evaluation| {
        ahead.evaluation(known.id).is_none_or(|ahead| match ahead.attempts.cmp(&known.attempts) {
            Ordering::Less => true,
            // One that another decided as well is over without a plan of its own.
            Ordering::Equal => !ahead.status.is_terminal(),
            Ordering::Greater => false,
        })
    };
    let ready = committed.open_evaluations(EvaluationStatus::Pending).take_while(|known| is_before(known));
    ready.chain(waited(committed, now).filter(|known| is_before(known))).any(|known| is_unknown(known))
}

/// When the next evaluation that waits is due.
pub fn next_due(state: &State) -> Option<Timestamp> {
    state.waiting_evaluations().next().and_then(|waiting| waiting.wait_until)
}

#[cfg(test)]
mod tests;
