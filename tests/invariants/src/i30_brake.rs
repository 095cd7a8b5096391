//! I30: when most of at least ten nodes are silent at once, at most one is given up in ten seconds.

use std::time::Duration;

use model::{NodeStatus, Term, Timestamp};
use server_core::command::Command;
use server_core::limits::MASS_LOSS_NODES_MIN;
use server_core::state::State;

use super::{Step, Violation};

pub(super) const NAME: &str = "brake";

/// Share of silent nodes, in percent, beyond which it must act.
const SILENT_PERCENT: usize = 55;
/// Time between two nodes that are given up while it acts.
const GIVEN_UP_EVERY: Duration = Duration::from_secs(10);

/// How much later than it was decided an entry may say that it was made.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(1);

/// When nodes were given up while most were silent.
#[derive(Clone, Debug, Default)]
pub struct Brake {
    last: Option<(Term, Timestamp)>,
}

impl Brake {
    /// An entry was applied.
    pub fn applied(&mut self, step: &Step<'_>) -> Vec<Violation> {
        let Command::SetNodeStatus { .. } = &step.entry.command else { return Vec::new() };
        let down = |state: &State| state.nodes().filter(|node| node.status == NodeStatus::Down).count();
        let given_up = down(step.after).saturating_sub(down(step.before));
        let nodes = step.before.node_count();
        let is_silent = |status| status == NodeStatus::Suspect || status == NodeStatus::Down;
        // The same entry may tell that others were heard again.
        let silent = step.after.nodes().filter(|node| is_silent(node.status)).count();
        if given_up == 0 || nodes < MASS_LOSS_NODES_MIN || silent * 100 <= nodes * SILENT_PERCENT {
            return Vec::new();
        }
        // By the leader's clock, because it takes its time until an entry is applied. A new leader does not know when the one
        // before gave the last one up, and a clock may step.
        let now = step.entry.at;
        let last = self.last.replace((step.term, now)).filter(|(term, at)| *term == step.term && *at <= now);
        let soon = last.map(|(_, at)| now.since(at)).filter(|pause| *pause + CLOCK_TOLERANCE < GIVEN_UP_EVERY);
        let what = match soon {
            _ if given_up > 1 => format!("{given_up} are given up at once"),
            Some(pause) => format!("another is given up after {pause:?}"),
            None => return Vec::new(),
        };
        vec![Violation::new(NAME, format!("{silent} of {nodes} nodes are silent, and {what}"))]
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use model::NodeId;
    use model::testing::node;

    use super::*;
    use crate::fixture::{after, play, play_at};

    fn state(suspect: usize) -> (State, Vec<NodeId>) {
        let mut state = State::default();
        let nodes: Vec<_> = (0..MASS_LOSS_NODES_MIN).map(|number| node(&format!("n{number}"))).collect();
        let ids: Vec<_> = nodes.iter().map(|node| node.id).collect();
        for node in nodes {
            play(&mut state, Command::RegisterNode { node: Arc::new(node), session: None });
        }
        let changes = ids.iter().take(suspect).map(|id| (*id, NodeStatus::Suspect)).collect();
        play(&mut state, Command::SetNodeStatus { changes, seen: None, term: 1 });
        (state, ids)
    }

    #[test]
    fn nodes_that_are_given_up_too_fast_are_found() {
        let (mut few, ids) = state(5);
        let down = |ids: &[NodeId]| Command::SetNodeStatus {
            changes: ids.iter().map(|id| (*id, NodeStatus::Down)).collect(),
            seen: None,
            term: 1,
        };
        let mut brake = Brake::default();
        let mut at =
            |state: &mut State, seconds, command| brake.applied(&play_at(state, after(seconds), command).step());
        assert_eq!(at(&mut few, 0, down(&ids[..5])), [], "most are heard");
        let (mut most, ids) = state(6);
        assert_eq!(at(&mut most, 0, down(&ids[..1])), []);
        assert_eq!(at(&mut most, 8, down(&ids[1..2])).len(), 1);
        assert_eq!(at(&mut most, 17, down(&ids[2..3])), []);
        assert_eq!(at(&mut most, 27, down(&ids[3..5])).len(), 1);
        let (mut returned, ids) = state(6);
        let changed = |status, ids: &[NodeId]| ids.iter().map(|id| (*id, status)).collect::<Vec<_>>();
        let changes = [changed(NodeStatus::Ready, &ids[..4]), changed(NodeStatus::Down, &ids[4..6])].concat();
        assert_eq!(
            at(&mut returned, 40, Command::SetNodeStatus { changes, seen: None, term: 1 }),
            [],
            "the same entry tells so"
        );
    }
}
