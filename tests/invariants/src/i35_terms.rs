//! I35: what a leader decided is not applied once another leads.

use model::Term;
use server_core::command::Command;

use super::{Step, Violation};

pub(super) const NAME: &str = "terms";

pub(super) fn check(step: &Step<'_>, violations: &mut Vec<Violation>) {
    let newest = step.term.max(step.before.term());
    // What was applied in its time and comes once more, because its leader did not hear that it had been, is answered as it
    // was then and changes nothing.
    let is_retry = step.entry.request.is_some_and(|request| step.before.has_answered(&request));
    let is_applied = step.is_accepted() && !is_retry;
    if let Some(decided) = decided_in(&step.entry.command).filter(|decided| *decided < newest && is_applied) {
        let name = step.entry.command.name();
        let what = format!("{name} at {} was decided in term {decided}, and term {newest} had begun", step.index);
        violations.push(Violation::new(NAME, what));
    }
}

/// The term in which the leader decided it; none for what people and agents ask.
fn decided_in(command: &Command) -> Option<Term> {
    match command {
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
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use model::NodeStatus;
    use server_core::apply::apply;
    use server_core::command::Entry;

    use super::*;
    use crate::fixture::{Played, START, cluster, node_id, play};

    #[test]
    fn an_older_leader_that_is_obeyed_is_found() {
        let mut state = cluster();
        let changes = vec![(node_id("n1"), NodeStatus::Suspect)];
        let mut played = play(&mut state, Command::SetNodeStatus { changes, seen: None, term: 1 });
        assert_eq!(played.found(check), []);
        played.term = 2;
        assert_eq!(played.found(check).len(), 1);
        let (evaluations, allocations, deployments, jobs, nodes) = Default::default();
        let collect = Command::Collect { evaluations, allocations, deployments, jobs, nodes, term: Some(1) };
        let mut played = play(&mut state, collect);
        played.term = 2;
        assert_eq!(played.found(check).len(), 1, "also where there was nothing to change");
    }

    #[test]
    fn a_retry_of_what_was_applied_in_its_time_is_none() {
        let mut state = cluster();
        let changes = vec![(node_id("n1"), NodeStatus::Suspect)];
        let command = Command::SetNodeStatus { changes, seen: None, term: 1 };
        let entry = Entry { at: START, request: Some([1; 16]), caller: String::new(), command };
        let mut play = |term: Term| {
            let (index, before) = (state.index() + 1, state.clone());
            let applied = apply(&mut state, index, term, &entry);
            Played { index, term, entry: entry.clone(), applied, before, after: state.clone() }
        };
        let (first, retry) = (play(1), play(2));
        assert!(!first.applied.changes.is_empty() && retry.step().is_accepted());
        assert_eq!(retry.found(check), []);
    }
}
