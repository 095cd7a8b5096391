//! I5: what is held on a node never exceeds what it has, each successor and its predecessors counted as the larger.
//!
//! A node may register again with less than what is held on it. Nobody decided that, and what runs there may stay; so this
//! looks at two states: what exceeds a node must have been held before, and while it is exceeded nothing is added.

use std::collections::{BTreeMap, BTreeSet};

use model::{Allocation, AllocationId, NodeId};
use server_core::command::Command;
use server_core::state::State;

use super::{Step, Violation};

pub(super) const NAME: &str = "capacity";

/// What is counted, in the order of its counts.
const KINDS: [&str; 5] = ["cpu", "memory", "memory_max", "disk", "allocations"];

pub(super) fn check_step(step: &Step<'_>, violations: &mut Vec<Violation>) {
    // A backup may be of a time when a node was exceeded; how that came about was looked at then.
    if !matches!(step.entry.command, Command::RestoreState { .. }) {
        check(step.before, step.after, violations);
    }
}

pub(super) fn check(before: &State, after: &State, violations: &mut Vec<Violation>) {
    for node in after.nodes() {
        let (total, reserved) = (node.total, node.reserved);
        let has = [
            total.cpu_mhz.saturating_sub(reserved.cpu_mhz),
            total.memory_mb.saturating_sub(reserved.memory_mb),
            total.memory_max_mb.saturating_sub(reserved.memory_max_mb),
            total.disk_mb.saturating_sub(reserved.disk_mb),
            node.max_allocations.map_or(u64::MAX, u64::from),
        ];
        let sums = held_on(after, node.id);
        if sums.iter().zip(has).all(|(sum, has)| *sum <= has) {
            continue;
        }
        let sums_before = held_on(before, node.id);
        for (at, name) in KINDS.into_iter().enumerate() {
            if sums[at] > has[at].max(sums_before[at]) {
                let what = format!("{name} of {}: {} held of {}", node.name, sums[at], has[at]);
                violations.push(Violation { invariant: NAME, what });
            }
        }
    }
}

/// What is held on a node, in the order of [`KINDS`].
fn held_on(state: &State, node: NodeId) -> [u64; 5] {
    let held: BTreeMap<AllocationId, &Allocation> = state
        .allocations_of_node(node)
        .filter(|allocation| !allocation.client_status.is_terminal())
        .map(|allocation| (allocation.id, &**allocation))
        .collect();
    let before: BTreeSet<AllocationId> =
        held.values().flat_map(|allocation| allocation.ties().after.iter().copied()).collect();
    let mut sums = [0u64; 5];
    for allocation in held.values().filter(|allocation| !before.contains(&allocation.id)) {
        let [cpu, memory, memory_max, disk] = weight(allocation, &held);
        let counts = [cpu, memory, memory_max, disk, number(allocation, &held) as u64];
        for (sum, amount) in sums.iter_mut().zip(counts) {
            *sum += amount;
        }
    }
    sums
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
    use model::Node;
    use model::testing::node;

    use super::*;
    use crate::fixture::{bend, cluster, ids, node_id, play};

    fn found(before: &State, after: &State) -> Vec<Violation> {
        let mut violations = Vec::new();
        check(before, after, &mut violations);
        violations
    }

    #[test]
    fn a_node_that_holds_more_than_it_has_is_found() {
        let state = cluster();
        assert_eq!(found(&state, &state), []);
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
            assert_eq!(found(&state, &full).len(), wanted, "{number} of 4000");
        }
    }

    #[test]
    fn a_successor_and_what_it_waits_for_count_as_the_larger() {
        let state = cluster();
        let [first, second] = ids(&state)[..] else { panic!("there are two") };
        let held = |successor: u64| {
            let mut after = state.clone();
            for (id, cpu) in [(first, 3000), (second, successor)] {
                after = bend(&after, id, |known| {
                    known.node = node_id("n1");
                    std::sync::Arc::make_mut(&mut known.cohort).resources.cpu_mhz = cpu;
                    known.tie(|ties| ties.after = if id == second { vec![first] } else { vec![] });
                });
            }
            found(&state, &after).len()
        };
        assert_eq!(held(4000), 0);
        assert_eq!(held(4001), 1);
    }

    #[test]
    fn what_a_node_held_before_it_shrank_may_stay_and_nothing_may_be_added() {
        let mut state = cluster();
        let id = ids(&state)[0];
        let (n1, cpu) = (node_id("n1"), state.allocation(id).unwrap().resources.cpu_mhz);
        state = bend(&state, id, |known| known.node = n1);
        let smaller = Node { id: n1, ..node("n1").cpu(cpu - 1) };
        let played = play(&mut state, Command::RegisterNode { node: std::sync::Arc::new(smaller), session: None });
        assert_eq!(played.found(check_step), []);
        let with = |cpu_mhz| {
            let bent = bend(&state, id, |known| {
                std::sync::Arc::make_mut(&mut known.cohort).resources.cpu_mhz = cpu_mhz;
            });
            found(&state, &bent).len()
        };
        assert_eq!(with(cpu), 0);
        assert_eq!(with(cpu + 1), 1);
        let other = bend(&state, ids(&state)[1], |known| {
            known.node = n1;
            std::sync::Arc::make_mut(&mut known.cohort).resources.cpu_mhz = 1;
        });
        assert_eq!(found(&state, &other).len(), 1);
    }
}
