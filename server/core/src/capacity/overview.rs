//! What there is, what is held and what is free, per datacenter, pool and class.

use std::collections::BTreeMap;

use model::{Node, Resources};

use crate::state::State;

/// The nodes of one datacenter, pool and class.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Share {
    /// The datacenter.
    pub datacenter: String,
    /// The pool.
    pub pool: String,
    /// The class; empty for none.
    pub class: String,
    /// Nodes.
    pub nodes: u32,
    /// Nodes that take new work.
    pub open: u32,
    /// What allocations may hold in all, on whatever node.
    pub total: Resources,
    /// What they hold.
    pub held: Resources,
    /// What is free on nodes that take new work.
    pub free: Resources,
    /// The largest ask by memory that still fits on one of them; none where nothing is free.
    pub largest_memory: Option<Largest>,
    /// The largest by CPU.
    pub largest_cpu: Option<Largest>,
}

/// What one instance could have, all of it at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Largest {
    /// The node's name.
    pub node_name: String,
    /// How much of each.
    pub free: Resources,
}

/// The shares, in order of datacenter, pool and class.
pub fn overview(state: &State) -> Vec<Share> {
    let mut shares: BTreeMap<(&str, &str, &str), Share> = BTreeMap::new();
    for node in state.nodes() {
        let share = shares.entry((&node.datacenter, &node.pool, &node.class)).or_default();
        count(share, state, node);
    }
    let named = |((datacenter, pool, class), share): ((&str, &str, &str), Share)| Share {
        datacenter: datacenter.into(),
        pool: pool.into(),
        class: class.into(),
        ..share
    };
    shares.into_iter().map(named).collect()
}

fn count(share: &mut Share, state: &State, node: &Node) {
    let held = state.node_use(node.id).held;
    share.nodes += 1;
    share.total += node.capacity();
    share.held += held;
    if !node.is_schedulable() {
        return;
    }
    let mut free = node.capacity() - held;
    // Memory that may be reserved but not used is of no use.
    free.memory_mb = free.memory_mb.min(free.memory_max_mb);
    share.open += 1;
    share.free += free;
    let offer = |best: &mut Option<Largest>, key: fn(&Resources) -> (u64, u64)| {
        let is_more = best.as_ref().is_none_or(|best| key(&free) > key(&best.free));
        if is_more && free.cpu_mhz > 0 && free.memory_mb > 0 {
            *best = Some(Largest { node_name: node.name.clone(), free });
        }
    };
    offer(&mut share.largest_memory, |free| (free.memory_mb, free.cpu_mhz));
    offer(&mut share.largest_cpu, |free| (free.cpu_mhz, free.memory_mb));
}
