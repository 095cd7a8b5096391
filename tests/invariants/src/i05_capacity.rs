//! I5: what is held on a node never exceeds what it has, each successor and its predecessors counted as the larger.

use std::collections::{BTreeMap, BTreeSet};

use model::{Allocation, AllocationId};
use server_core::state::State;

use super::Violation;

pub(super) const NAME: &str = "capacity";

pub(super) fn check(state: &State, violations: &mut Vec<Violation>) {
    for node in state.nodes() {
        let held: BTreeMap<AllocationId, &Allocation> = state
            .allocations_of_node(node.id)
            .filter(|allocation| !allocation.client_status.is_terminal())
            .map(|allocation| (allocation.id, &**allocation))
            .collect();
        let before: BTreeSet<AllocationId> =
            held.values().flat_map(|allocation| allocation.ties().after.iter().copied()).collect();
        let succeeded = |id: &AllocationId| before.contains(id);
        let number: usize =
            held.values().filter(|allocation| !succeeded(&allocation.id)).map(|known| number(known, &held)).sum();
        if let Some(max) = node.max_allocations.filter(|max| number > *max as usize) {
            let what = format!("allocations of {}: {number} held of {max}", node.name);
            violations.push(Violation { invariant: NAME, what });
        }
        let mut sums = [0u64; 4];
        for allocation in held.values().filter(|allocation| !succeeded(&allocation.id)) {
            for (sum, amount) in sums.iter_mut().zip(weight(allocation, &held)) {
                *sum += amount;
            }
        }
        let has = [
            node.total.cpu_mhz - node.reserved.cpu_mhz,
            node.total.memory_mb - node.reserved.memory_mb,
            node.total.memory_max_mb - node.reserved.memory_max_mb,
            node.total.disk_mb - node.reserved.disk_mb,
        ];
        for ((name, sum), has) in ["cpu", "memory", "memory_max", "disk"].iter().zip(sums).zip(has) {
            if sum > has {
                let what = format!("{name} of {}: {sum} held of {has}", node.name);
                violations.push(Violation { invariant: NAME, what });
            }
        }
    }
}

/// An allocation that waits for others is not there before they are gone.
fn number(allocation: &Allocation, held: &BTreeMap<AllocationId, &Allocation>) -> usize {
    let predecessors: Vec<_> = allocation.ties().after.iter().filter_map(|id| held.get(id)).collect();
    let counts = |one: &&&Allocation| !predecessors.iter().any(|other| other.ties().after.contains(&one.id));
    predecessors.iter().copied().filter(|one| counts(one)).map(|one| number(one, held)).sum::<usize>().max(1)
}

fn weight(allocation: &Allocation, held: &BTreeMap<AllocationId, &Allocation>) -> [u64; 4] {
    let resources = allocation.resources;
    let own = [resources.cpu_mhz, resources.memory_mb, resources.memory_max_mb, resources.disk_mb];
    let mut before = [0u64; 4];
    let predecessors: Vec<_> = allocation.ties().after.iter().filter_map(|id| held.get(id)).collect();
    // What waits for the same predecessor as its own predecessor does is counted with that.
    let counts = |one: &&&Allocation| !predecessors.iter().any(|other| other.ties().after.contains(&one.id));
    for predecessor in predecessors.iter().copied().filter(|one| counts(one)) {
        for (sum, amount) in before.iter_mut().zip(weight(predecessor, held)) {
            *sum += amount;
        }
    }
    std::array::from_fn(|at| own[at].max(before[at]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{bend, cluster, found, ids, node_id};

    #[test]
    fn a_node_that_holds_more_than_it_has_is_found() {
        let state = cluster();
        assert_eq!(found(&state, check), []);
        for (number, wanted) in [(4000, 0), (4001, 1)] {
            let mut full = state.clone();
            for id in ids(&state) {
                full = bend(&full, id, |known| {
                    known.node = node_id("n1");
                    std::sync::Arc::make_mut(&mut known.cohort).resources.cpu_mhz = number / 2;
                });
            }
            full = bend(&full, ids(&state)[0], |known| {
                std::sync::Arc::make_mut(&mut known.cohort).resources.cpu_mhz = number.div_ceil(2);
            });
            assert_eq!(found(&full, check).len(), wanted, "{number} of 4000");
        }
    }

    #[test]
    fn a_successor_and_what_it_waits_for_count_as_the_larger() {
        let state = cluster();
        let [first, second] = ids(&state)[..] else { panic!("there are two") };
        let held = |successor: u64| {
            let mut state = state.clone();
            for (id, cpu) in [(first, 3000), (second, successor)] {
                state = bend(&state, id, |known| {
                    known.node = node_id("n1");
                    std::sync::Arc::make_mut(&mut known.cohort).resources.cpu_mhz = cpu;
                    known.tie(|ties| ties.after = if id == second { vec![first] } else { vec![] });
                });
            }
            found(&state, check).len()
        };
        assert_eq!(held(4000), 0);
        assert_eq!(held(4001), 1);
    }
}
