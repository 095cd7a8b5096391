//! I16: an agent that restarts, or dies, neither restarts nor stops a container that is healthy and wanted: process and start
//! stay the same.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use model::{Allocation, AllocationId, ClientStatus, Desired, NodeId, Timestamp};
use server_core::state::State;

use super::{Container, Violation};

pub(super) const NAME: &str = "agent restarts";

/// Within this a server must know why a container is not the same any more.
pub const TOLD_WITHIN: Duration = Duration::from_secs(30);

/// What agents tell of a task whose container is about to change, or has.
const REASONS: [&str; 6] = ["Terminated", "Killing", "Killed", "Restarting", "Restart Signaled", "Sibling Task Failed"];

/// What ran when agents went away.
#[derive(Clone, Debug, Default)]
pub struct AgentRestarts {
    before: BTreeMap<NodeId, Vec<Container>>,
}

impl AgentRestarts {
    /// An agent goes away, leaving these.
    pub fn began(&mut self, node: NodeId, containers: &[Container]) {
        self.before.insert(node, containers.to_vec());
    }

    /// The host was lost with the agent: its containers are gone, and nobody is to blame.
    pub fn lost(&mut self, node: NodeId) {
        self.before.remove(&node);
    }

    /// The agent is back in control of the host, where there are these containers now. `wanted`: the allocations that were
    /// wanted and well all the while.
    pub fn ended(&mut self, node: NodeId, containers: &[Container], wanted: &BTreeSet<AllocationId>) -> Vec<Violation> {
        let before = self.before.remove(&node).unwrap_or_default();
        changed(NAME, &before, containers, |id| wanted.contains(&id))
    }
}

/// Containers that change, for whoever does not know when agents go away: of what is wanted and runs, an agent that is in
/// control tells each end.
#[derive(Clone, Debug, Default)]
pub struct Unexplained {
    known: BTreeMap<(AllocationId, String), Known>,
}

/// A container as it was when nothing was amiss.
#[derive(Clone, Debug)]
struct Known {
    container: Container,
    /// When each reason came that a server had heard of by then.
    told: BTreeSet<Timestamp>,
    changed_since: Option<Timestamp>,
}

impl Unexplained {
    /// The running containers of all hosts were seen, and then the state of a server that is up to date.
    pub fn found(&mut self, now: Timestamp, containers: &[Container], state: &State) -> Vec<Violation> {
        let runs = |id: AllocationId| {
            let is_well =
                |known: &&Allocation| known.desired == Desired::Run && known.client_status == ClientStatus::Running;
            state.allocation(id).map(|known| &**known).filter(is_well)
        };
        let there: BTreeMap<_, _> = containers
            .iter()
            .filter_map(|container| Some(((container.allocation?, container.task.clone()), container)))
            .collect();
        let mut violations = Vec::new();
        self.known.retain(|key, known| {
            // Of what ends, moves or can't be heard nothing is promised.
            let Some(allocation) = runs(key.0) else { return false };
            let told = told(allocation, &key.1);
            if there.get(key) == Some(&&known.container) {
                (known.told, known.changed_since) = (told, None);
                return true;
            }
            let since = *known.changed_since.get_or_insert(now);
            let (is_told, is_late) = (!told.is_subset(&known.told), now.since(since) > TOLD_WITHIN);
            if is_late && !is_told {
                let what = format!(
                    "{} of allocation {} is not the same any more, and its agent does not say why",
                    known.container.id,
                    key.0.short()
                );
                violations.push(Violation::new(NAME, what));
            }
            !is_told && !is_late
        });
        for (key, container) in there {
            if let Some(allocation) = runs(key.0) {
                let told = told(allocation, &key.1);
                let container = container.clone();
                self.known.entry(key).or_insert(Known { container, told, changed_since: None });
            }
        }
        violations
    }
}

/// When there was a reason for a task's container to change.
fn told(allocation: &Allocation, task: &str) -> BTreeSet<Timestamp> {
    let states = allocation.tasks.unpack();
    let events = states.get(task).into_iter().flat_map(|state| &state.events);
    events.filter(|event| REASONS.contains(&event.kind.as_str())).map(|event| event.at).collect()
}

/// The containers of `before` that are not the same now, of the allocations that `counts`.
pub(super) fn changed(
    name: &'static str,
    before: &[Container],
    now: &[Container],
    counts: impl Fn(AllocationId) -> bool,
) -> Vec<Violation> {
    let wrong = |old: &Container| {
        let id = old.allocation.filter(|id| counts(*id))?;
        let what = match now.iter().find(|new| new.id == old.id) {
            None => "is gone",
            Some(new) if (new.pid, new.started_at) != (old.pid, old.started_at) => "was restarted",
            Some(_) => return None,
        };
        Some(Violation::new(name, format!("{} of allocation {} {what}", old.id, id.short())))
    };
    before.iter().filter_map(wrong).collect()
}

#[cfg(test)]
mod tests {
    use model::{TaskEvent, TaskState, TaskStates};

    use super::*;
    use crate::fixture::{START, after, bend, cluster, ids, node_id};

    #[test]
    fn a_container_that_is_restarted_or_gone_is_found() {
        let id = ids(&cluster())[0];
        let (node, wanted) = (node_id("n1"), BTreeSet::from([id]));
        let old = Container { id: "c1".into(), allocation: Some(id), task: "web".into(), pid: 1, started_at: START };
        let restarted = Container { pid: 2, started_at: after(1), ..old.clone() };
        let mut restarts = AgentRestarts::default();
        for (now, wanted, found) in [
            (vec![old.clone()], &wanted, 0),
            (vec![restarted.clone()], &wanted, 1),
            (vec![], &wanted, 1),
            (vec![restarted], &BTreeSet::new(), 0),
        ] {
            restarts.began(node, std::slice::from_ref(&old));
            assert_eq!(restarts.ended(node, &now, wanted).len(), found);
        }
        restarts.began(node, &[old]);
        restarts.lost(node);
        assert_eq!(restarts.ended(node, &[], &wanted), []);
    }
    /// The allocation as an agent tells that this happened to its task.
    fn told_of(state: &State, id: AllocationId, kind: &str, at: Timestamp) -> State {
        let event = TaskEvent { kind: kind.into(), at, message: String::new(), details: BTreeMap::new() };
        let web = TaskState { events: vec![event], ..TaskState::default() };
        bend(state, id, |known| known.tasks = TaskStates::pack(&BTreeMap::from([("web".to_string(), web)])))
    }

    #[test]
    fn a_container_that_changes_must_be_told_of_in_time() {
        let state = cluster();
        let id = ids(&state)[0];
        let old = Container { id: "c1".into(), allocation: Some(id), task: "web".into(), pid: 1, started_at: START };
        let restarted = Container { pid: 2, started_at: after(1), ..old.clone() };
        let last = TOLD_WITHIN.as_secs() as i64;
        for now in [vec![restarted.clone()], vec![]] {
            let mut unexplained = Unexplained::default();
            assert_eq!(unexplained.found(after(0), std::slice::from_ref(&old), &state), []);
            assert_eq!(unexplained.found(after(1), &now, &state), []);
            let mut explained = unexplained.clone();
            assert_eq!(unexplained.found(after(1 + last), &now, &state), []);
            assert_eq!(unexplained.found(after(2 + last), &now, &state).len(), 1);
            assert_eq!(unexplained.found(after(4 + 2 * last), &now, &state), [], "it is told once");
            let started = told_of(&state, id, "Started", after(1));
            assert_eq!(explained.clone().found(after(2 + last), &now, &started).len(), 1, "that is no reason");
            let ended = told_of(&state, id, "Terminated", after(1));
            assert_eq!(explained.found(after(2 + last), &now, &ended), []);
        }
    }

    #[test]
    fn of_what_ends_or_is_not_heard_nothing_is_promised_and_an_old_reason_is_none() {
        let state = cluster();
        let id = ids(&state)[0];
        let old = Container { id: "c1".into(), allocation: Some(id), task: "web".into(), pid: 1, started_at: START };
        let late = after(2 + TOLD_WITHIN.as_secs() as i64);
        for status in [ClientStatus::Unknown, ClientStatus::Lost, ClientStatus::Complete] {
            let mut unexplained = Unexplained::default();
            unexplained.found(after(0), std::slice::from_ref(&old), &state);
            assert_eq!(unexplained.found(after(1), &[], &bend(&state, id, |known| known.client_status = status)), []);
            assert_eq!(unexplained.found(late, &[], &state), []);
        }
        let before = told_of(&state, id, "Terminated", START);
        let mut unexplained = Unexplained::default();
        unexplained.found(after(0), &[old], &before);
        unexplained.found(after(1), &[], &before);
        assert_eq!(unexplained.found(late, &[], &before).len(), 1);
    }
}
