//! I21: equal inputs give the same plan, whatever the scheduler has seen before, and whether the state grew entry by entry or
//! was restored from a snapshot.

use model::{Evaluation, Timestamp};
use server_core::schedule::{Decision, schedule};
use server_core::state::State;

use super::Violation;

pub(super) const NAME: &str = "repeatable";

/// Decides `evaluation` on `state` and on what a snapshot of it restores.
pub fn check(state: &State, evaluation: &Evaluation, now: Timestamp) -> Vec<Violation> {
    let restored = State::decode(&state.encode());
    let again = restored.map(|restored| schedule(&restored, evaluation, now));
    compare(evaluation, &schedule(state, evaluation, now), again.ok().as_ref())
}

fn compare(evaluation: &Evaluation, decision: &Decision, again: Option<&Decision>) -> Vec<Violation> {
    if again == Some(decision) {
        return Vec::new();
    }
    let what = format!("{} of {} is decided otherwise on a restored state", evaluation.id.short(), evaluation.job);
    vec![Violation::new(NAME, what)]
}

#[cfg(test)]
mod tests {
    use model::EvaluationStatus;
    use model::testing::job;

    use super::*;
    use crate::fixture::{START, cluster, register};

    #[test]
    fn another_decision_is_found() {
        let mut state = cluster();
        register(&mut state, job("other").count(3));
        let evaluation = state.open_evaluations(EvaluationStatus::Pending).next().unwrap();
        assert_eq!(check(&state, evaluation, START), []);
        let decision = schedule(&state, evaluation, START);
        let mut other = decision.clone();
        other.plan.placements.pop();
        assert_eq!(compare(evaluation, &decision, Some(&other)).len(), 1);
    }
}
