//! I20: no evaluation is lost or stuck. Each comes to its end, and none comes back from it; one that may be decided is decided
//! within 30 s.

use std::time::Duration;

use model::{EvaluationId, EvaluationStatus, Timestamp};
use server_core::command::Command;
use server_core::state::Change;

use super::{State, Step, Violation};

pub(super) const NAME: &str = "evaluations";

/// How old an evaluation may become that nothing holds up.
pub const DECIDED_WITHIN: Duration = Duration::from_secs(30);

pub(super) fn check(step: &Step<'_>, violations: &mut Vec<Violation>) {
    for change in &step.applied.changes {
        let Change::Evaluation(id) = change else { continue };
        let (before, after) = (step.before.evaluation(*id), step.after.evaluation(*id));
        if let (Some(before), Some(after)) = (before, after)
            && before.status.is_terminal()
            && !after.status.is_terminal()
        {
            let what = format!("{} was {} and is {}", id.short(), before.status.as_str(), after.status.as_str());
            violations.push(Violation::new(NAME, what));
        }
    }
    // Only these forget evaluations. An open one is a wish that nobody has fulfilled yet.
    let forgets = match &step.entry.command {
        Command::Collect { evaluations, .. } => evaluations.as_slice(),
        _ => return,
    };
    let is_open = |id: &&EvaluationId| step.before.evaluation(**id).is_some_and(|known| !known.status.is_terminal());
    for id in forgets.iter().filter(is_open).filter(|id| step.after.evaluation(**id).is_none()) {
        violations.push(Violation::new(NAME, format!("{} was open and is forgotten", id.short())));
    }
}

pub(super) fn check_settled(state: &State, now: Timestamp, violations: &mut Vec<Violation>) {
    let pending = state.open_evaluations(EvaluationStatus::Pending).map(|known| (known, known.modified_at));
    let waiting = state.waiting_evaluations().filter_map(|known| Some((known, known.wait_until?)));
    for (known, due) in pending.chain(waiting) {
        if now.since(due) > DECIDED_WITHIN {
            let (id, trigger) = (known.id.short(), known.trigger.as_str());
            let what = format!("{id} ({trigger} of {}) might be decided since {:?}", known.job, now.since(due));
            violations.push(Violation::new(NAME, what));
        }
    }
}

#[cfg(test)]
mod tests {
    use model::testing::job;
    use model::{Evaluation, JobKey};

    use super::*;
    use crate::fixture::{after, cluster, play, register};

    fn settled(state: &State, now: Timestamp) -> Vec<Violation> {
        let mut violations = Vec::new();
        check_settled(state, now, &mut violations);
        violations
    }

    #[test]
    fn one_that_is_not_decided_is_found() {
        let mut state = cluster();
        assert_eq!(settled(&state, after(1_000)), []);
        register(&mut state, job("other"));
        assert_eq!(settled(&state, after(30)), []);
        assert_eq!(settled(&state, after(31)).len(), 1);
        let pending = state.open_evaluations(EvaluationStatus::Pending).next().unwrap();
        let waits = Evaluation { wait_until: Some(after(100)), ..Evaluation::clone(pending) };
        server_core::testing::put_evaluation(&mut state, waits);
        assert_eq!(settled(&state, after(130)), []);
        assert_eq!(settled(&state, after(131)).len(), 1);
    }

    #[test]
    fn one_that_is_forgotten_or_comes_back_is_found() {
        let mut state = cluster();
        let played = register(&mut state, job("web").count(2));
        assert_eq!(played.found(check), []);
        let id = state
            .evaluations_of_job(&JobKey::new("default", "web"))
            .find(|known| !known.status.is_terminal())
            .unwrap()
            .id;
        let collect = Command::Collect {
            evaluations: vec![id],
            allocations: vec![],
            deployments: vec![],
            jobs: vec![],
            nodes: vec![],
            term: None,
        };
        let mut collected = play(&mut state, collect);
        assert_eq!(collected.found(check), [], "it is open, so it stays");
        server_core::testing::forget_evaluation(&mut collected.after, id);
        assert_eq!(collected.found(check).len(), 1);
        let mut back = played;
        let over =
            Evaluation { status: EvaluationStatus::Complete, ..Evaluation::clone(back.after.evaluation(id).unwrap()) };
        server_core::testing::put_evaluation(&mut back.before, over);
        assert_eq!(back.found(check).len(), 1);
    }
}
