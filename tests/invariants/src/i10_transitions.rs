//! I10: what is observed of an allocation moves forward, each move is made by one component, and no report overtakes a newer
//! one.
//!
//! ```text
//!   Pending <-> Running -> Complete | Failed     agents (a task that waits to run again is pending)
//!   Pending | Running -> Unknown                 the leader's clocks: its node is down
//!   Unknown -> Pending | Running | Complete | Failed    agents
//!   anything that is not over -> Lost            whoever purges the node
//! ```

use model::{Allocation, ClientStatus, TaskState};
use server_core::command::Command;

use super::{Step, Violation};

pub(super) const NAME: &str = "transitions";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mover {
    Agents,
    Clocks,
    Purge,
    Nobody,
}

pub(super) fn check(step: &Step<'_>, violations: &mut Vec<Violation>) {
    let mover = match &step.entry.command {
        Command::Observe { .. } => Mover::Agents,
        Command::SetNodeStatus { .. } => Mover::Clocks,
        Command::PurgeNode { .. } => Mover::Purge,
        _ => Mover::Nobody,
    };
    for (before, after) in step.allocations() {
        let Some(before) = before else {
            if after.client_status != ClientStatus::Pending {
                let what = format!("{} begins as {}", after.id.short(), after.client_status.as_str());
                violations.push(Violation::new(NAME, what));
            }
            continue;
        };
        let (from, to) = (before.client_status, after.client_status);
        if from != to && wants(from, to) != Some(mover) {
            let name = step.entry.command.name();
            let what = format!("{} from {} to {} by {name}", after.id.short(), from.as_str(), to.as_str());
            violations.push(Violation::new(NAME, what));
        }
        if mover == Mover::Agents && is_older(before, after) {
            let what = format!("what is known of {} is overtaken by an older report", after.id.short());
            violations.push(Violation::new(NAME, what));
        }
    }
}

/// Who may make that move.
fn wants(from: ClientStatus, to: ClientStatus) -> Option<Mover> {
    match (from, to) {
        (ClientStatus::Complete | ClientStatus::Failed | ClientStatus::Lost, _) => None,
        (_, ClientStatus::Lost) => Some(Mover::Purge),
        (_, ClientStatus::Unknown) => Some(Mover::Clocks),
        (_, ClientStatus::Pending | ClientStatus::Running | ClientStatus::Complete | ClientStatus::Failed) => {
            Some(Mover::Agents)
        }
    }
}

/// Whether a report tells of an earlier run of a task than the one before it. That restarts become fewer says nothing: an agent
/// that has lost what it wrote down begins to count anew.
fn is_older(before: &Allocation, after: &Allocation) -> bool {
    if before.tasks == after.tasks {
        return false;
    }
    let (known, new) = (before.tasks.unpack(), after.tasks.unpack());
    let is_earlier = |known: &TaskState, new: &TaskState| {
        let (known_start, new_start) = (known.started_at, new.started_at);
        new.restarts < known.restarts && new_start.is_some() && new_start < known_start
    };
    known.iter().any(|(name, known)| new.get(name).is_some_and(|new| is_earlier(known, new)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use model::TaskStates;

    use super::*;
    use crate::fixture::{changed, cluster, ids, observe};

    #[test]
    fn whoever_moves_what_is_not_his_is_found() {
        let mut state = cluster();
        let id = ids(&state)[0];
        let played = || observe(&mut state.clone(), id, ClientStatus::Failed, None);
        assert_eq!(played().found(check), []);
        for status in [ClientStatus::Lost, ClientStatus::Unknown] {
            let bent = played().leaving(id, |known| known.client_status = status);
            assert_eq!(bent.found(check).len(), 1, "{status:?} by an agent");
        }
        observe(&mut state, id, ClientStatus::Failed, None);
        let other = ids(&state)[1];
        let mut again = observe(&mut state, other, ClientStatus::Failed, None);
        again.applied.changes.push(changed(id, false));
        assert_eq!(again.leaving(id, |known| known.client_status = ClientStatus::Running).found(check).len(), 1);
    }

    #[test]
    fn an_older_report_is_found() {
        let mut state = cluster();
        let id = ids(&state)[0];
        let with = |restarts| {
            let started_at = Some(crate::fixture::after(i64::from(restarts)));
            let task = TaskState { restarts, started_at, ..TaskState::default() };
            TaskStates::pack(&BTreeMap::from([("web".to_string(), task)]))
        };
        let mut played =
            observe(&mut state, id, ClientStatus::Pending, Some(true)).leaving(id, |known| known.tasks = with(1));
        assert_eq!(played.found(check), []);
        played.before = played.after.clone();
        assert_eq!(played.leaving(id, |known| known.tasks = with(0)).found(check).len(), 1);
    }
}
