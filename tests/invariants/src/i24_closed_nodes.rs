//! I24: nothing new is placed on a node that is not ready, closed or draining.

use super::{Step, Violation};

pub(super) const NAME: &str = "closed nodes";

pub(super) fn check(step: &Step<'_>, violations: &mut Vec<Violation>) {
    for new in step.placed() {
        let node = step.before.node(new.node);
        if node.is_none_or(|node| !node.is_schedulable()) {
            violations
                .push(Violation::new(NAME, format!("{} is placed on {}, which is closed", new.name(), new.node_name)));
        }
    }
}

#[cfg(test)]
mod tests {
    use model::testing::{job, node};
    use model::{Eligibility, Node, NodeStatus};

    use super::*;
    use crate::fixture::{cluster, plan, register};

    #[test]
    fn a_placement_on_a_closed_node_is_found() {
        let closed = |bend: fn(&mut Node)| {
            let mut state = cluster();
            register(&mut state, job("other"));
            let mut played = plan(&mut state);
            assert_eq!(played.found(check), []);
            for name in ["n1", "n2"] {
                let mut node = node(name);
                bend(&mut node);
                server_core::testing::put_node(&mut played.before, node);
            }
            played.found(check).len()
        };
        assert_eq!(closed(|node| node.eligibility = Eligibility::Ineligible), 1);
        assert_eq!(closed(|node| node.status = NodeStatus::Suspect), 1);
        assert_eq!(closed(|node| node.status = NodeStatus::Down), 1);
    }
}
