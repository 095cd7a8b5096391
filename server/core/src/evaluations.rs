//! Which evaluation is next: of those that are pending, and of the blocked ones those that may find a place now.

mod blocked;

use std::cmp::Reverse;
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
    let ready = state.open_evaluations(EvaluationStatus::Pending).next();
    let waited = state.waiting_evaluations().take_while(|waiting| waiting.wait_until.is_none_or(|at| at <= now));
    let pending = ready.into_iter().chain(waited).min_by_key(|known| order(known));
    blocked.next_before(state, pending.map(|known| order(known)), has_chance).or(pending)
}

/// When the next evaluation that waits is due.
pub fn next_due(state: &State) -> Option<Timestamp> {
    state.waiting_evaluations().next().and_then(|waiting| waiting.wait_until)
}

#[cfg(test)]
mod tests;
