//! I17: while all servers are away, no running container changes, save where its group asks its agent to stop it.

use std::collections::{BTreeMap, BTreeSet};

use model::{AllocationId, NodeId};

use super::i16_agent_restarts::changed;
use super::{Container, Violation};

pub(super) const NAME: &str = "servers away";

/// What ran when the last server went away.
#[derive(Clone, Debug, Default)]
pub struct ServersAway {
    before: BTreeMap<NodeId, Vec<Container>>,
}

impl ServersAway {
    /// No server can be reached any more; on this host there are these containers.
    pub fn began(&mut self, node: NodeId, containers: &[Container]) {
        self.before.insert(node, containers.to_vec());
    }

    /// There still is no server, and on this host there are these containers. `excused`: allocations whose tasks ended or
    /// failed by themselves, or whose group asks that they stop.
    pub fn found(&self, node: NodeId, containers: &[Container], excused: &BTreeSet<AllocationId>) -> Vec<Violation> {
        let before = self.before.get(&node).map(Vec::as_slice).unwrap_or_default();
        changed(NAME, before, containers, |id| !excused.contains(&id))
    }

    /// A host was lost: its containers are gone, and nobody is to blame.
    pub fn lost(&mut self, node: NodeId) {
        self.before.remove(&node);
    }

    /// A server is back.
    pub fn ended(&mut self) {
        self.before.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{START, cluster, ids, node_id};

    #[test]
    fn what_stops_while_nobody_could_ask_for_it_is_found() {
        let id = ids(&cluster())[0];
        let node = node_id("n1");
        let container =
            Container { id: "c1".into(), allocation: Some(id), task: "web".into(), pid: 1, started_at: START };
        let containers = [container];
        let mut away = ServersAway::default();
        away.began(node, &containers);
        assert_eq!(away.found(node, &containers, &BTreeSet::new()), []);
        assert_eq!(away.found(node, &[], &BTreeSet::new()).len(), 1);
        assert_eq!(away.found(node, &[], &BTreeSet::from([id])), []);
        let mut lost = away.clone();
        lost.lost(node);
        assert_eq!(lost.found(node, &[], &BTreeSet::new()), []);
        away.ended();
        assert_eq!(away.found(node, &[], &BTreeSet::new()), []);
    }
}
