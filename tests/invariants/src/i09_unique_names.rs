//! I9: of each name at most one allocation is wanted, outside a declared overlap: a replacement beside what it replaces
//! (a migration, or a node out of contact), or a canary, until the evaluation that its promotion brings is decided. In a
//! rollout the old one is no longer wanted.

use std::collections::BTreeMap;

use model::{Allocation, ClientStatus, EvaluationStatus};
use server_core::state::State;

use super::Violation;

pub(super) const NAME: &str = "unique names";

pub(super) fn check(state: &State, violations: &mut Vec<Violation>) {
    let mut live: BTreeMap<_, Vec<&Allocation>> = BTreeMap::new();
    for allocation in state.allocations().filter(|allocation| allocation.is_live()) {
        // A system job's instances share one index; their names differ by the node.
        let per_node = state
            .job_version(&allocation.job, allocation.job_version)
            .is_some_and(|version| version.job.kind.is_per_node());
        let node = per_node.then_some(allocation.node);
        live.entry((&allocation.job, &allocation.group, allocation.index, node)).or_default().push(allocation);
    }
    for twins in live.values().filter(|twins| twins.len() > 1) {
        // Of what was out of contact nobody knows how it is until its agent has said so.
        let is_silent = |one: &Allocation| one.client_status == ClientStatus::Unknown;
        let may_overlap = |one: &Allocation| one.migrate || is_silent(one);
        // Of a job that is of another type by now, what took its place may be known by its node.
        let has_place = |next: &Allocation, one: &Allocation| {
            next.is_live() && (&next.job, &next.group, next.index) == (&one.job, &one.group, one.index)
        };
        let next = |one: &Allocation| one.ties().next.and_then(|id| state.allocation(id));
        let replaced = |one: &Allocation| may_overlap(one) && next(one).is_some_and(|next| has_place(next, one));
        let counts = |one: &&&Allocation| !replaced(one) && !one.canary && !was_just_promoted(state, one);
        let counted: Vec<_> = twins.iter().filter(counts).collect();
        if counted.len() > 1 {
            let names: Vec<_> = counted.iter().map(|one| one.id.short()).collect();
            let what = format!("{} is wanted {} times: {}", twins[0].name(), counted.len(), names.join(", "));
            violations.push(Violation { invariant: NAME, what });
        }
    }
}

/// Whether it was a canary, and what follows its promotion is still to be decided.
fn was_just_promoted(state: &State, allocation: &Allocation) -> bool {
    let deployment = allocation.deployment.and_then(|id| state.deployment(id));
    let group = deployment.and_then(|known| known.groups.get(&allocation.group));
    let was_canary = group.is_some_and(|group| group.promoted && group.placed_canaries.contains(&allocation.id));
    was_canary && state.evaluations_of_job(&allocation.job).any(|known| known.status == EvaluationStatus::Pending)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{bend, cluster, found, ids};

    #[test]
    fn two_of_one_name_are_found() {
        let state = cluster();
        assert_eq!(found(&state, check), []);
        let twins = bend(&state, ids(&state)[0], |known| known.index = 1 - known.index);
        assert_eq!(found(&twins, check).len(), 1);
        let canary = bend(&twins, ids(&state)[0], |known| known.canary = true);
        assert_eq!(found(&canary, check), []);
        let next = Some(ids(&state)[1]);
        let moves = bend(&twins, ids(&state)[0], |known| {
            known.migrate = true;
            known.tie(|ties| ties.next = next);
        });
        assert_eq!(found(&moves, check), []);
    }
}
