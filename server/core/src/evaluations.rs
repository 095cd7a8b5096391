//! Which evaluation is next, and which blocked one a gain of room wakes.

use std::collections::BTreeSet;
use std::sync::Arc;

use model::{Evaluation, EvaluationStatus, Index, JobKey, Node, Timestamp, fits};

use crate::state::{Change, State};

/// The evaluation to decide next: the highest priority, then the oldest, of those that need not wait.
pub fn next(state: &State, now: Timestamp) -> Option<&Arc<Evaluation>> {
    let ready = state.open_evaluations(EvaluationStatus::Pending).next();
    let waited = state.waiting_evaluations().take_while(|waiting| waiting.wait_until.is_none_or(|at| at <= now));
    let waited = waited.max_by_key(|waiting| waiting.priority);
    match (ready, waited) {
        (Some(ready), Some(waited)) if waited.priority > ready.priority => Some(waited),
        (Some(ready), _) => Some(ready),
        (None, waited) => waited,
    }
}

/// When the next evaluation that waits is due.
pub fn next_due(state: &State) -> Option<Timestamp> {
    state.waiting_evaluations().next().and_then(|waiting| waiting.wait_until)
}

/// Makes blocked evaluations pending that may find room on `node`, which gained some.
///
/// It looks at amounts only: a group whose ask fits into what is free there is worth another try. So is a job that runs
/// there, because a new version of an instance asks only for what goes beyond the old one.
pub(crate) fn wake(state: &mut State, node: &Node, index: Index, at: Timestamp) {
    if !node.is_schedulable() {
        return;
    }
    let mut blocked = state.open_evaluations(EvaluationStatus::Blocked).peekable();
    if blocked.peek().is_none() {
        return;
    }
    let free = state.node_use(node.id).free(node);
    let live = state.allocations_of_node(node.id).filter(|known| known.is_live());
    let run_here: BTreeSet<&JobKey> = live.map(|known| &known.job).collect();
    let may_fit = |evaluation: &&Arc<Evaluation>| {
        evaluation.unplaced.values().any(|unplaced| fits(unplaced.ask, free).is_ok())
            || run_here.contains(&evaluation.job)
    };
    let woken: Vec<_> = blocked.filter(may_fit).cloned().collect();
    for evaluation in woken {
        let mut evaluation = (*evaluation).clone();
        evaluation.status = EvaluationStatus::Pending;
        evaluation.description = format!("room appeared on node {}", node.name);
        evaluation.modify_index = index;
        evaluation.modified_at = at;
        state.indexes.evaluations = index;
        state.changes.push(Change::Evaluation(evaluation.id));
        state.put_evaluation(evaluation);
    }
}
