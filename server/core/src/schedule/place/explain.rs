//! Why an instance found no node: every reason of every node, summed up.

use std::collections::BTreeMap;

use model::{Misfit, NearMiss, Unplaced};

use super::{Chooser, Want};
use crate::limits::NEAREST_MISSES_MAX;

/// Counts an instance that found no node, with the reasons at that moment.
pub(super) fn count(unplaced: &mut BTreeMap<String, Unplaced>, chooser: &Chooser<'_, '_>, want: &Want) {
    let known = unplaced.entry(want.group.clone()).or_default();
    known.count += 1;
    // The reasons of the first speak for its equals: the plan only gets fuller.
    if known.count == 1 {
        let count = known.count;
        *known = explain(chooser, want);
        known.count = count;
    }
}

fn explain(chooser: &Chooser<'_, '_>, want: &Want) -> Unplaced {
    let mut sums = Unplaced { ask: chooser.group.ask(), ..Unplaced::default() };
    let mut misses = Vec::new();
    for at in 0..chooser.view.len() {
        let node = chooser.view.node(at);
        // A system job's instance can only go to its own node.
        if want.node.is_some_and(|only| only != node.id) {
            continue;
        }
        sums.nodes_total += 1;
        let mut misfits = chooser.feasibility.misfits(node, chooser.leaving(want));
        let is_filtered = !misfits.is_empty();
        misfits.extend(chooser.view.room(at, chooser.group, chooser.succeeded(want)).err().unwrap_or_default());
        if is_filtered {
            sums.nodes_filtered += 1;
        } else {
            sums.nodes_exhausted += 1;
        }
        if chooser.feasibility.conditions(node).is_empty() && node.is_schedulable() {
            *sums.nodes_available.entry(node.datacenter.clone()).or_default() += 1;
        }
        for misfit in &misfits {
            let reason = sums.reasons.entry(misfit.dimension()).or_default();
            reason.nodes += 1;
            reason.filter = misfit.is_filter();
        }
        misses.push(NearMiss { node: node.id, node_name: node.name.clone(), misfits });
    }
    // Nodes that are merely full come before those that could never take it; then the fewest reasons.
    let filters = |miss: &NearMiss| miss.misfits.iter().filter(|misfit| Misfit::is_filter(misfit)).count();
    misses.sort_by_key(|miss| (filters(miss), miss.misfits.len(), shortage(miss), miss.node));
    misses.truncate(NEAREST_MISSES_MAX);
    sums.nearest = misses;
    sums
}

/// How much is short in all, to bring the nearest first.
fn shortage(miss: &NearMiss) -> u64 {
    let short = |misfit: &Misfit| match misfit {
        Misfit::Cpu { ask_mhz, free_mhz } => ask_mhz.saturating_sub(*free_mhz),
        Misfit::Memory { ask_mb, free_mb }
        | Misfit::MemoryMax { ask_mb, free_mb }
        | Misfit::Disk { ask_mb, free_mb } => ask_mb.saturating_sub(*free_mb),
        _ => 0,
    };
    miss.misfits.iter().map(short).sum()
}
