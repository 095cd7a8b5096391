//! I29: a node that falls silent is down within a second of the time that it has, counted from its last beat or from when its
//! leader began, whichever was later.

use std::collections::BTreeMap;
use std::time::Duration;

use model::{NodeId, NodeStatus, Timestamp};
use server_core::limits::{MASS_LOSS_NODES_MIN, beat_interval, down_after};
use server_core::state::State;

use super::Violation;

pub(super) const NAME: &str = "silent";

/// How much longer than its time a silent node may take to be down.
pub const NOTICED_WITHIN: Duration = Duration::from_secs(1);

/// Which nodes are silent, as whoever makes the faults knows it.
#[derive(Clone, Debug, Default)]
pub struct Silent {
    since: BTreeMap<NodeId, Timestamp>,
    led_since: Option<Timestamp>,
}

impl Silent {
    /// The node's agent sends nothing any more since that time, without having announced it.
    pub fn away(&mut self, node: NodeId, since: Timestamp) {
        self.since.insert(node, since);
    }

    /// It may be heard again.
    pub fn back(&mut self, node: NodeId) {
        self.since.remove(&node);
    }

    /// A leader applied its first entry.
    pub fn led(&mut self, now: Timestamp) {
        self.led_since = Some(now);
    }

    /// Nobody leads, or not for sure.
    pub fn unled(&mut self) {
        self.led_since = None;
    }

    /// A state was seen, of the server that leads.
    pub fn sees(&self, now: Timestamp, state: &State) -> Vec<Violation> {
        let Some(led) = self.led_since else { return Vec::new() };
        // The brake may hold replacement back then, which is another matter.
        if state.node_count() >= MASS_LOSS_NODES_MIN && self.since.len() * 2 > state.node_count() {
            return Vec::new();
        }
        let within = down_after(beat_interval(state.node_count())) + NOTICED_WITHIN;
        let mut violations = Vec::new();
        for (id, since) in &self.since {
            let silent = now.since(led.max(*since));
            let Some(node) = state.node(*id).filter(|node| node.status != NodeStatus::Down) else { continue };
            if silent > within {
                violations.push(Violation::new(NAME, format!("{} is silent for {silent:?}, and not down", node.name)));
            }
        }
        violations
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{after, cluster, node_id, play};
    use server_core::command::Command;

    #[test]
    fn a_silent_node_that_does_not_fall_is_found() {
        let mut state = cluster();
        let mut silent = Silent::default();
        silent.away(node_id("n1"), after(0));
        assert_eq!(silent.sees(after(60), &state), [], "nobody leads");
        silent.led(after(2));
        assert_eq!(silent.sees(after(9), &state), []);
        assert_eq!(silent.sees(after(10), &state).len(), 1);
        let mut back = silent.clone();
        back.back(node_id("n1"));
        assert_eq!(back.sees(after(10), &state), []);
        let term = state.term();
        play(&mut state, Command::SetNodeStatus { changes: vec![(node_id("n1"), NodeStatus::Down)], seen: None, term });
        assert_eq!(silent.sees(after(10), &state), []);
        silent.unled();
        assert_eq!(silent.sees(after(60), &cluster()), []);
    }
}
