//! I23: a drain is complete only when its node holds nothing any more that shall leave, and that is so soon after its deadline.

use std::time::Duration;

use model::{Allocation, Node, NodeStatus, Timestamp};
use server_core::command::Command;
use server_core::state::State;

use super::step::group_of;
use super::{Step, Violation};

pub(super) const NAME: &str = "drain ends";

/// How much longer than the deadline and the time to stop a drain may take.
pub const ENDS_WITHIN: Duration = Duration::from_secs(30);

pub(super) fn check(step: &Step<'_>, violations: &mut Vec<Violation>) {
    let Command::CompleteDrain { node, .. } = &step.entry.command else { return };
    // One whose drain was taken back meanwhile is left as it is.
    let Some(known) = step.before.node(*node).filter(|node| step.is_accepted() && node.drain.is_some()) else { return };
    if let Some(left) = left_on(step.after, known).next() {
        let what = format!("the drain of {} is complete, and {} is still there", known.name, left.name());
        violations.push(Violation::new(NAME, what));
    }
}

pub(super) fn check_settled(state: &State, now: Timestamp, violations: &mut Vec<Violation>) {
    for node in state.nodes().filter(|node| node.status == NodeStatus::Ready) {
        let Some(end) = node.drain.as_ref().and_then(|drain| drain.ends_at()) else { continue };
        let takes =
            left_on(state, node).filter_map(|known| group_of(state, known)).map(|group| group.time_to_stop()).max();
        let late = now.since(end);
        if late > takes.unwrap_or_default() + ENDS_WITHIN {
            violations.push(Violation::new(NAME, format!("the drain of {} is {late:?} past its deadline", node.name)));
        }
    }
}

/// What shall leave the node and is not observed gone.
fn left_on<'a>(state: &'a State, node: &'a Node) -> impl Iterator<Item = &'a Allocation> {
    let system_stays = node.drain.as_ref().is_some_and(|drain| drain.ignore_system_jobs);
    let stays = move |known: &Allocation| {
        let version = state.job_version(&known.job, known.job_version);
        system_stays && version.is_some_and(|version| version.job.kind.is_per_node())
    };
    state.allocations_of_node(node.id).map(|known| &**known).filter(move |known| known.holds() && !stays(known))
}

#[cfg(test)]
mod tests {
    use model::ClientStatus;
    use server_core::command::DrainSpec;

    use super::*;
    use crate::fixture::{after, bend, cluster, ids, node_id, play};

    fn drained(deadline: Option<Duration>) -> State {
        let mut state = cluster();
        let drain = Some(DrainSpec { deadline, ignore_system_jobs: false });
        let node = node_id("n1");
        play(&mut state, Command::DrainNode { node, drain, mark_eligible: false, meta: Default::default() });
        state
    }

    #[test]
    fn a_drain_that_ends_too_early_is_found() {
        let mut state = drained(None);
        for id in ids(&state) {
            state = bend(&state, id, |known| known.client_status = ClientStatus::Complete);
        }
        let term = state.term();
        let on_it = state.allocations_of_node(node_id("n1")).next().expect("something ran there").id;
        let mut played = play(&mut state, Command::CompleteDrain { node: node_id("n1"), term });
        assert_eq!(played.found(check), []);
        played.after = bend(&played.after, on_it, |known| known.client_status = ClientStatus::Running);
        assert_eq!(played.found(check).len(), 1);
    }

    #[test]
    fn a_drain_that_does_not_end_is_found() {
        let state = drained(Some(Duration::from_secs(60)));
        let on_it = state.allocations_of_node(node_id("n1")).next().expect("something runs there");
        let takes = group_of(&state, on_it).unwrap().time_to_stop().as_secs() as i64;
        let found = |now| {
            let mut violations = Vec::new();
            check_settled(&state, now, &mut violations);
            violations.len()
        };
        assert_eq!(found(after(90 + takes)), 0);
        assert_eq!(found(after(91 + takes)), 1);
    }
}
