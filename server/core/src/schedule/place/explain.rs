//! Why an instance finds no node: every reason of every node, summed up.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use model::{Misfit, NearMiss, Node, NodeId, Resources, Unplaced};

use super::{Chooser, Want};
use crate::limits::NEAREST_MISSES_MAX;

/// What stands against an instance on one node.
pub(crate) struct Finding {
    /// The node.
    pub node: Arc<Node>,
    /// Everything that stands against it; empty where it fits.
    pub misfits: Vec<Misfit>,
    /// Whether the node is open and meets the lasting conditions, whatever room it has.
    pub is_available: bool,
}

/// What found no node, and why.
pub(super) struct Unmet {
    unplaced: BTreeMap<String, Unplaced>,
    /// What was found on each node, for groups that have instances with reasons of their own.
    own: BTreeMap<String, BTreeMap<NodeId, Finding>>,
}

/// Whether an instance can only go to one node, or to its volumes, so that others don't speak for it.
fn is_own(want: &Want) -> bool {
    want.node.is_some() || !want.claims.is_empty() || want.has_own_volumes
}

impl Unmet {
    /// Nothing yet of `wants`.
    pub fn of(wants: &[Want]) -> Self {
        let mut own = BTreeMap::new();
        for want in wants.iter().filter(|want| is_own(want)) {
            counter(&mut own, &want.group);
        }
        Self { unplaced: BTreeMap::new(), own }
    }

    /// Counts `count` instances that found no node, with the reasons at that moment.
    pub fn count(&mut self, chooser: &Chooser<'_, '_>, want: &Want, count: u32) {
        let known = self.unplaced.entry(want.group.clone()).or_default();
        let ask = chooser.group.ask();
        let is_first = known.count == 0;
        if is_first {
            known.ask = ask;
        }
        // The reasons of the first speak for its equals, since the plan only gets fuller.
        if is_first || is_own(want) {
            match self.own.get_mut(&want.group) {
                Some(own) => chooser.findings(want).for_each(|finding| merge(own, finding)),
                None => add(known, chooser.findings(want)),
            }
        }
        // Instances of one group may be of two versions: room for the smaller is worth another try.
        known.ask = Resources {
            cpu_mhz: known.ask.cpu_mhz.min(ask.cpu_mhz),
            memory_mb: known.ask.memory_mb.min(ask.memory_mb),
            memory_max_mb: known.ask.memory_max_mb.min(ask.memory_max_mb),
            disk_mb: known.ask.disk_mb.min(ask.disk_mb),
        };
        known.coming.extend(&chooser.coming);
        known.count += count;
    }

    /// All of it, by group.
    pub fn sums(mut self) -> BTreeMap<String, Unplaced> {
        for (group, own) in self.own {
            if let Some(known) = self.unplaced.get_mut(&group) {
                add(known, own.into_values());
            }
        }
        self.unplaced
    }
}

/// Counts a node once, with all that stands against any of several instances there.
fn merge(known: &mut BTreeMap<NodeId, Finding>, new: Finding) {
    match known.entry(new.node.id) {
        Entry::Vacant(place) => drop(place.insert(new)),
        Entry::Occupied(place) => {
            let known = place.into_mut();
            known.is_available |= new.is_available;
            for misfit in new.misfits {
                if known.misfits.iter().all(|other| other.dimension() != misfit.dimension()) {
                    known.misfits.push(misfit);
                }
            }
        }
    }
}

/// Sums up what was found on each node.
pub(crate) fn sum(ask: Resources, findings: impl IntoIterator<Item = Finding>) -> Unplaced {
    let mut sums = Unplaced { ask, ..Unplaced::default() };
    add(&mut sums, findings);
    sums
}

fn add(sums: &mut Unplaced, findings: impl IntoIterator<Item = Finding>) {
    let mut nearest: Vec<_> =
        std::mem::take(&mut sums.nearest).into_iter().map(|miss| (Nearness::of(&miss), miss)).collect();
    for Finding { node, misfits, is_available } in findings {
        sums.nodes_total += 1;
        if misfits.iter().any(Misfit::is_filter) {
            sums.nodes_filtered += 1;
        } else if !misfits.is_empty() {
            sums.nodes_exhausted += 1;
        }
        if is_available {
            *counter(&mut sums.nodes_available, &node.datacenter) += 1;
        }
        for (at, misfit) in misfits.iter().enumerate() {
            let name = misfit.dimension();
            // Two tasks may lack the same on one node.
            if misfits[..at].iter().all(|other| other.dimension() != name) {
                let reason = counter(&mut sums.reasons, &name);
                reason.nodes += 1;
                reason.filter = misfit.is_filter();
            }
        }
        if !misfits.is_empty() {
            come_near(&mut nearest, &node, misfits);
        }
    }
    sums.nearest = nearest.into_iter().map(|(_, miss)| miss).collect();
}

/// What is counted under `name`; no name is copied that is known.
fn counter<'c, T: Default>(counts: &'c mut BTreeMap<String, T>, name: &str) -> &'c mut T {
    if !counts.contains_key(name) {
        counts.insert(name.to_string(), T::default());
    }
    counts.get_mut(name).expect("it was put there above")
}

/// How near a node came, the nearest first. Nodes that are merely full come before those that could never take the
/// instance; then the fewest reasons.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Nearness {
    filters: usize,
    misfits: usize,
    shortage: u64,
    node: NodeId,
}

impl Nearness {
    fn of(miss: &NearMiss) -> Self {
        Self::on(miss.node, &miss.misfits)
    }

    fn on(node: NodeId, misfits: &[Misfit]) -> Self {
        let filters = misfits.iter().filter(|misfit| misfit.is_filter()).count();
        Self { filters, misfits: misfits.len(), shortage: shortage(misfits), node }
    }
}

/// Keeps a node among the nearest if it is one of those.
fn come_near(nearest: &mut Vec<(Nearness, NearMiss)>, node: &Node, misfits: Vec<Misfit>) {
    let new = Nearness::on(node.id, &misfits);
    let at = nearest.partition_point(|(known, _)| *known < new);
    if at < NEAREST_MISSES_MAX {
        nearest.insert(at, (new, NearMiss { node: node.id, node_name: node.name.clone(), misfits }));
        nearest.truncate(NEAREST_MISSES_MAX);
    }
}

/// How much is short in all, to bring the nearest first.
fn shortage(misfits: &[Misfit]) -> u64 {
    let short = |misfit: &Misfit| match misfit {
        Misfit::Cpu { ask_mhz, free_mhz } => ask_mhz.saturating_sub(*free_mhz),
        Misfit::Memory { ask_mb, free_mb }
        | Misfit::MemoryMax { ask_mb, free_mb }
        | Misfit::Disk { ask_mb, free_mb } => ask_mb.saturating_sub(*free_mb),
        _ => 0,
    };
    misfits.iter().map(short).sum()
}

#[cfg(test)]
mod tests {
    use model::testing::node;

    use super::*;

    #[test]
    fn as_many_near_misses_are_named_as_the_limit_and_the_nearest_of_more() {
        let full = |number: usize| Finding {
            node: Arc::new(node(&format!("n{number}"))),
            misfits: vec![Misfit::Memory { ask_mb: 1000, free_mb: 1000 - number as u64 }],
            is_available: true,
        };
        let named = |nodes: usize| {
            // The farthest comes first, so that it is not cut for its place.
            let sums = sum(Resources::default(), (1..=nodes).rev().map(full));
            assert_eq!(sums.nodes_exhausted as usize, nodes, "all are counted");
            sums.nearest.into_iter().map(|miss| miss.node_name).collect::<Vec<_>>()
        };
        let nearest: Vec<_> = (1..=NEAREST_MISSES_MAX).map(|number| format!("n{number}")).collect();
        assert_eq!(named(NEAREST_MISSES_MAX), nearest);
        assert_eq!(named(NEAREST_MISSES_MAX + 1), nearest);
    }
}
