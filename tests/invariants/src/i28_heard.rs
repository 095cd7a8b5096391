//! I28: a node whose agent reaches the servers is never marked down.

use std::collections::BTreeMap;

use model::{NodeId, NodeStatus, Timestamp};
use server_core::command::Command;
use server_core::limits::{beat_interval, down_after};

use super::{Step, Violation};

pub(super) const NAME: &str = "heard";

/// Which agents can be heard, as whoever makes the faults knows it.
#[derive(Clone, Debug, Default)]
pub struct Heard {
    since: BTreeMap<NodeId, Timestamp>,
}

impl Heard {
    /// The node's agent runs and reaches all servers of a majority, from now on.
    pub fn up(&mut self, node: NodeId, now: Timestamp) {
        self.since.entry(node).or_insert(now);
    }

    /// It does not any more, or only some of them, or slowly.
    pub fn away(&mut self, node: NodeId) {
        self.since.remove(&node);
    }

    /// An entry was applied.
    pub fn applied(&self, now: Timestamp, step: &Step<'_>) -> Vec<Violation> {
        let Command::SetNodeStatus { changes, .. } = &step.entry.command else { return Vec::new() };
        let within = down_after(beat_interval(step.before.node_count()));
        let is_new = |id: &NodeId| step.before.node(*id).is_some_and(|node| node.status != NodeStatus::Down);
        let falls = |id: &NodeId| step.after.node(*id).is_some_and(|node| node.status == NodeStatus::Down);
        let mut violations = Vec::new();
        for (id, _) in changes.iter().filter(|(id, status)| *status == NodeStatus::Down && is_new(id) && falls(id)) {
            if let Some(up) = self.since.get(id).map(|since| now.since(*since)).filter(|up| *up > within) {
                violations.push(Violation::new(NAME, format!("{} is down, and was heard for {up:?}", id.short())));
            }
        }
        violations
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{after, cluster, node_id, play};

    #[test]
    fn a_node_that_is_heard_and_falls_is_found() {
        let mut state = cluster();
        let (node, term) = (node_id("n1"), state.term());
        let played =
            play(&mut state, Command::SetNodeStatus { changes: vec![(node, NodeStatus::Down)], seen: None, term });
        let mut heard = Heard::default();
        assert_eq!(heard.applied(after(0), &played.step()), []);
        heard.up(node, after(0));
        assert_eq!(heard.applied(after(6), &played.step()), []);
        assert_eq!(heard.applied(after(7), &played.step()).len(), 1);
        heard.away(node);
        assert_eq!(heard.applied(after(7), &played.step()), []);
    }
}
