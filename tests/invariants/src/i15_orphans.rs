//! I15: no container with our labels is there for more than 60 s without an allocation that its agent knows; containers of
//! strangers are never touched.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use model::{AllocationId, NodeId, Timestamp};

use super::{Container, Violation};

pub(super) const NAME: &str = "orphans";

/// How long a container may be there that nobody knows.
pub const ORPHAN_KEPT_MAX: Duration = Duration::from_secs(60);

/// Containers that nobody knows, and those of strangers.
#[derive(Clone, Debug, Default)]
pub struct Orphans {
    unknown_since: BTreeMap<(NodeId, String), Timestamp>,
    strangers: BTreeMap<(NodeId, String), Container>,
}

impl Orphans {
    /// A stranger's container is put on a host.
    pub fn planted(&mut self, node: NodeId, container: Container) {
        self.strangers.insert((node, container.id.clone()), container);
    }

    /// The containers of a host were seen, all of them, and the allocations that its agent knows.
    pub fn found(
        &mut self,
        now: Timestamp,
        node: NodeId,
        containers: &[Container],
        known: &BTreeSet<AllocationId>,
    ) -> Vec<Violation> {
        let mut violations = Vec::new();
        let orphans: BTreeMap<_, _> = containers
            .iter()
            .filter_map(|container| Some((container.allocation.filter(|id| !known.contains(id))?, container)))
            .map(|(allocation, container)| (container.id.clone(), allocation))
            .collect();
        self.unknown_since.retain(|(of, id), _| *of != node || orphans.contains_key(id));
        for (id, allocation) in orphans {
            let since = *self.unknown_since.entry((node, id.clone())).or_insert(now);
            if now.since(since) > ORPHAN_KEPT_MAX {
                let what = format!("{id} is of allocation {}, which its agent does not know", allocation.short());
                violations.push(Violation::new(NAME, what));
            }
        }
        for ((_, id), planted) in self.strangers.iter().filter(|((of, _), _)| *of == node) {
            if !containers.contains(planted) {
                violations.push(Violation::new(NAME, format!("{id} is a stranger's, and was touched")));
            }
        }
        violations
    }

    /// A host can't be looked after: its agent is away.
    pub fn unattended(&mut self, node: NodeId) {
        self.unknown_since.retain(|(of, _), _| *of != node);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{START, after, cluster, ids, node_id};

    #[test]
    fn an_orphan_may_stay_for_a_minute_and_a_stranger_for_ever() {
        let id = ids(&cluster())[0];
        let node = node_id("n1");
        let container = |id: &str, allocation| Container {
            id: id.into(),
            allocation,
            task: String::new(),
            pid: 1,
            started_at: START,
        };
        let (ours, stranger) = (container("c1", Some(id)), container("c2", None));
        let both = [ours.clone(), stranger.clone()];
        let mut orphans = Orphans::default();
        orphans.planted(node, stranger.clone());
        assert_eq!(orphans.found(after(0), node, &both, &BTreeSet::from([id])), []);
        assert_eq!(orphans.found(after(1), node, &both, &BTreeSet::new()), []);
        assert_eq!(orphans.found(after(61), node, &both, &BTreeSet::new()), []);
        assert_eq!(orphans.found(after(62), node, &both, &BTreeSet::new()).len(), 1);
        orphans.unattended(node);
        assert_eq!(orphans.found(after(63), node, &both, &BTreeSet::new()), []);
        assert_eq!(
            orphans.found(after(64), node, std::slice::from_ref(&ours), &BTreeSet::from([id])).len(),
            1,
            "the stranger is gone"
        );
        let restarted = Container { pid: 2, ..stranger };
        assert_eq!(orphans.found(after(65), node, &[ours, restarted], &BTreeSet::from([id])).len(), 1);
    }
}
