//! I16: an agent that restarts, or dies, neither restarts nor stops a container that is healthy and wanted: process and start
//! stay the same.

use std::collections::{BTreeMap, BTreeSet};

use model::{AllocationId, NodeId};

use super::{Container, Violation};

pub(super) const NAME: &str = "agent restarts";

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
    use super::*;
    use crate::fixture::{START, after, cluster, ids, node_id};

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
}
