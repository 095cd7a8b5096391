//! What allocations hold of a node.
//!
//! A successor and its predecessors on the same node never run at the same time: together they count as the larger of
//! the successor and the sum of those predecessors that still hold something, and as the union of their ports.

use std::collections::{BTreeMap, BTreeSet};

use model::{Allocation, AllocationId, Node, Resources};

/// What allocations hold of a node; derived from its allocations.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct NodeUse {
    /// The sum.
    pub held: Resources,
    /// Ports of the node's address.
    pub ports: BTreeSet<u16>,
    /// Predecessors that still hold something, each with its successor.
    successors: BTreeMap<AllocationId, AllocationId>,
}

impl NodeUse {
    /// What `allocations` of one node hold.
    pub fn of<'a>(allocations: impl Iterator<Item = &'a Allocation>) -> Self {
        let held: BTreeMap<_, _> =
            allocations.filter(|allocation| allocation.holds()).map(|allocation| (allocation.id, allocation)).collect();
        let mut sum = Self::default();
        for successor in held.values() {
            for predecessor in successor.after.iter().filter(|id| held.contains_key(id)) {
                sum.successors.insert(*predecessor, successor.id);
            }
        }
        for allocation in held.values() {
            sum.ports.extend(allocation.ports.iter().map(|port| port.value));
            // A predecessor counts where its successor does, unless that is itself a predecessor: then the chain's
            // last one counts for all.
            if sum.successors.contains_key(&allocation.id) {
                continue;
            }
            sum.held += chain(allocation, &held);
        }
        sum
    }

    /// What is free on `node`.
    pub fn free(&self, node: &Node) -> Resources {
        node.capacity() - self.held
    }

    /// Adds an allocation that succeeds nobody; the cheap way for the usual case.
    pub(crate) fn add(&mut self, allocation: &Allocation) {
        self.held += allocation.resources;
        self.ports.extend(allocation.ports.iter().map(|port| port.value));
    }

    /// Takes away an allocation that neither succeeds nor precedes another.
    pub(crate) fn subtract(&mut self, allocation: &Allocation) {
        self.held -= allocation.resources;
        for port in &allocation.ports {
            self.ports.remove(&port.value);
        }
    }

    /// Whether another allocation waits for that one to be gone.
    pub(crate) fn has_successor(&self, id: AllocationId) -> bool {
        self.successors.contains_key(&id)
    }

    /// Whether nothing on the node waits for a predecessor, so that the cheap ways are right.
    pub(crate) fn is_plain(&self) -> bool {
        self.successors.is_empty()
    }
}

/// What `allocation` counts for among `others` of its node, together with those that it succeeds.
pub(crate) fn counts_for<'a>(allocation: &Allocation, others: impl Iterator<Item = &'a Allocation>) -> Resources {
    chain(allocation, &others.filter(|other| other.holds()).map(|other| (other.id, other)).collect())
}

/// The larger of an allocation and the sum of its predecessors, and so on down the chain.
fn chain(allocation: &Allocation, held: &BTreeMap<AllocationId, &Allocation>) -> Resources {
    let before: Vec<_> = allocation.after.iter().filter_map(|id| held.get(id)).collect();
    let mut predecessors = Resources::default();
    for predecessor in &before {
        // What was passed on by another predecessor counts with that one.
        if !before.iter().any(|other| other.after.contains(&predecessor.id)) {
            predecessors += chain(predecessor, held);
        }
    }
    allocation.resources.max(predecessors)
}
