//! I5: what is held on a node never exceeds what it has, each successor and its predecessors counted as the larger.

use std::collections::BTreeMap;

use model::{Allocation, AllocationId};
use server_core::state::State;

use super::Violation;

pub(super) fn check(state: &State, violations: &mut Vec<Violation>) {
    for node in state.nodes() {
        let held: BTreeMap<AllocationId, &Allocation> = state
            .allocations_of_node(node.id)
            .filter(|allocation| !allocation.client_status.is_terminal())
            .map(|allocation| (allocation.id, &**allocation))
            .collect();
        let succeeded = |id: &AllocationId| held.values().any(|other| other.ties().after.contains(id));
        let number: usize =
            held.values().filter(|allocation| !succeeded(&allocation.id)).map(|known| number(known, &held)).sum();
        if let Some(max) = node.max_allocations.filter(|max| number > *max as usize) {
            let what = format!("allocations of {}: {number} held of {max}", node.name);
            violations.push(Violation { invariant: "capacity", what });
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
                violations.push(Violation { invariant: "capacity", what });
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
