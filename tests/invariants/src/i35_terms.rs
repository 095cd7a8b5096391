//! I35: what a leader decided is not applied once another leads.

use model::Term;
use server_core::command::Command;

use super::{Step, Violation};

pub(super) const NAME: &str = "terms";

pub(super) fn check(step: &Step<'_>, violations: &mut Vec<Violation>) {
    let newest = step.term.max(step.before.term());
    if let Some(decided) = decided_in(&step.entry.command).filter(|decided| *decided < newest && step.is_accepted()) {
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
        Command::EndDeployment { term, .. } => *term,
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use model::NodeStatus;

    use super::*;
    use crate::fixture::{cluster, node_id, play};

    #[test]
    fn an_older_leader_that_is_obeyed_is_found() {
        let mut state = cluster();
        let changes = vec![(node_id("n1"), NodeStatus::Suspect)];
        let mut played = play(&mut state, Command::SetNodeStatus { changes, term: 1 });
        assert_eq!(played.found(check), []);
        played.term = 2;
        assert_eq!(played.found(check).len(), 1);
    }
}
