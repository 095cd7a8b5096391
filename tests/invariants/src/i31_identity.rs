//! I31: a node's id never changes its owner. Two that claim one id are not both served, and two of one name are not both there.

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
}

/// Who was served as which node.
#[derive(Clone, Debug, Default)]
pub struct Owners {
    owners: BTreeMap<NodeId, String>,
}

impl Owners {
    /// Somebody with that key was served as that node.
    pub fn served(&mut self, node: NodeId, key: &str) -> Vec<Violation> {
        let owner = self.owners.entry(node).or_insert_with(|| key.into());
        let differs = owner != key;
        let what = || format!("{} is {owner}'s, and {key} was served as it", node.short());
        differs.then(|| Violation::new(NAME, what())).into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use model::Node;
    use model::testing::node;

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
    fn another_owner_is_found() {
        let mut owners = Owners::default();
        assert_eq!(owners.served(node_id("n1"), "k1"), []);
        assert_eq!(owners.served(node_id("n1"), "k1"), []);
        assert_eq!(owners.served(node_id("n1"), "k2").len(), 1);
    }
}
