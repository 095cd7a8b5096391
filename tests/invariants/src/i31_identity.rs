//! I31: a node belongs to the agent with one key until it is purged. Of two with that key, on two hosts, the second is served
//! only once the first is silent; and two nodes of one name are not both there.

use std::collections::BTreeMap;

use model::{NodeId, NodeStatus};
use server_core::command::Command;
use server_core::state::State;

use super::{Step, Violation};

pub(super) const NAME: &str = "identity";

pub(super) fn check(state: &State, violations: &mut Vec<Violation>) {
    let mut names: BTreeMap<&str, NodeId> = BTreeMap::new();
    for node in state.nodes().filter(|node| node.status != NodeStatus::Down) {
        if let Some(other) = names.insert(&node.name, node.id) {
            let what = format!("{} and {} are both {}", other.short(), node.id.short(), node.name);
            violations.push(Violation::new(NAME, what));
        }
    }
}

pub(super) fn check_step(step: &Step<'_>, violations: &mut Vec<Violation>) {
    let Command::RegisterNode { node, .. } = &step.entry.command else { return };
    let (before, after) = (step.before.node(node.id), step.after.node(node.id));
    if let (Some(before), Some(after)) = (before, after)
        && before.create_index != after.create_index
    {
        violations.push(Violation::new(NAME, format!("{} was known, and is taken for a new node", node.name)));
    }
    let holders = (step.before.holder(node.id), step.after.holder(node.id));
    let (Some(before), Some(after)) = holders else { return };
    if before.key != after.key {
        violations.push(Violation::new(NAME, format!("{} belongs to another key now", node.name)));
    }
    let was_heard = step.before.node(node.id).is_some_and(|known| known.status == NodeStatus::Ready);
    if was_heard && before.host != after.host && before.host.is_some() && after.host.is_some() {
        violations.push(Violation::new(NAME, format!("{} is on another host, though it was heard", node.name)));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use model::Node;
    use model::testing::node;
    use server_core::command::{Holder, NodeSession};

    use super::*;
    use crate::fixture::{cluster, found, node_id, play};

    #[test]
    fn two_of_one_name_are_found() {
        let mut state = cluster();
        assert_eq!(found(&state, check), []);
        let mut twin = Node { name: "n1".into(), ..node("n3") };
        server_core::testing::put_node(&mut state, twin.clone());
        assert_eq!(found(&state, check).len(), 1);
        twin.status = NodeStatus::Down;
        server_core::testing::put_node(&mut state, twin);
        assert_eq!(found(&state, check), []);
    }

    #[test]
    fn a_node_that_is_taken_for_a_new_one_is_found() {
        let mut state = cluster();
        let again = Node { address: "10.0.0.9".into(), ..node("n1") };
        let mut played = play(&mut state, Command::RegisterNode { node: Arc::new(again), session: None });
        assert_eq!(played.found(check_step), []);
        let known = Node { create_index: 99, ..Node::clone(played.after.node(node_id("n1")).unwrap()) };
        server_core::testing::put_node(&mut played.after, known);
        assert_eq!(played.found(check_step).len(), 1);
    }

    #[test]
    fn another_holder_is_found() {
        let mut state = cluster();
        let session = |key: u8, host: u8| NodeSession::BegunBy(Holder { key: [key; 32], host: Some([host; 32]) });
        let begin = |state: &mut State, session| {
            let node = Arc::new(node("n1"));
            play(state, Command::RegisterNode { node, session: Some(session) })
        };
        begin(&mut state, session(1, 1));
        let mut played = begin(&mut state, session(1, 1));
        assert_eq!(played.found(check_step), []);
        for (other, wanted) in [((2, 1), "another key"), ((1, 2), "another host"), ((1, 1), "")] {
            let mut twin = State::default();
            begin(&mut twin, session(other.0, other.1));
            played.after = twin;
            let found = played.found(check_step);
            // The twin's node is another one in this, too, that it is new.
            let found: Vec<_> = found.iter().filter(|found| !found.what.contains("new node")).collect();
            assert_eq!(found.len(), usize::from(!wanted.is_empty()), "{found:?}");
            assert!(found.iter().all(|found| found.what.contains(wanted)), "{found:?}");
        }
    }
}
