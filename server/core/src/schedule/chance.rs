//! Whether a blocked evaluation would find a place on nodes that gained something, asked without planning anything.
//!
//! It looks at what the job wants now, and at those nodes only. A yes is an instance that fits; what a plan does with it is
//! the planner's. A no is sure: what was in the way on all other nodes still is.

use std::collections::BTreeSet;
use std::sync::Arc;

use model::{Allocation, AllocationId, Group, JobKey, Node, NodeId, Timestamp, fits};

use super::Feasibility;
use super::grant::{Placed, Taken, Written, grant, is_elsewhere, room_for_ports};
use super::reconcile::{Want, reconcile};
use crate::limits::PREEMPTION_PRIORITY_GAP;
use crate::state::{State, counts_for};

/// Whether an instance that the job of that key wants has a place on one of `nodes`, or one that stands there can be updated
/// where it is, which its node may have been in the way of.
pub fn has_chance(state: &State, job: &JobKey, nodes: &BTreeSet<NodeId>, now: Timestamp) -> bool {
    let wishes = reconcile(state, job, None, now);
    let stands_there = |id: &AllocationId| state.allocation(*id).is_some_and(|known| nodes.contains(&known.node));
    if wishes.updates_in_place.iter().any(stands_there) {
        return true;
    }
    let mut last: Option<(&Want, Feasibility<'_>)> = None;
    let mut had_plain = false;
    for want in &wishes.wants {
        let Some(group) = want.version.job.group(&want.group) else { continue };
        // Those that are alike mostly come together.
        last.take_if(|(other, _)| !want.is_alike(other));
        had_plain &= last.is_some();
        // Equals have equal chances.
        if want.is_plain() && std::mem::replace(&mut had_plain, true) {
            continue;
        }
        let (_, feasibility) = last.get_or_insert_with(|| {
            let mut feasibility = Feasibility::new(state, &want.version, group);
            wishes.stops.iter().for_each(|stop| feasibility.leave(stop.allocation));
            (want, feasibility)
        });
        if fits_on_one(state, want, group, feasibility, nodes) {
            return true;
        }
    }
    false
}

fn fits_on_one(
    state: &State,
    want: &Want,
    group: &Group,
    feasibility: &Feasibility<'_>,
    nodes: &BTreeSet<NodeId>,
) -> bool {
    let known = |id| state.allocation(id).map(|known| &**known);
    let leaving = want.previous.and_then(known);
    let succeeded = want.succeeds.as_ref().and_then(|stop| known(stop.allocation));
    let may_go = |id: &&NodeId| want.only_node().is_none_or(|only| only == **id);
    let open = nodes.iter().filter(may_go).filter_map(|id| state.node(*id));
    open.into_iter().any(|node| {
        want.claims.iter().all(|claim| is_elsewhere(node, claim).is_none())
            && feasibility.misfits(node, leaving).is_empty()
            && (has_room(state, node, group, succeeded) || may_preempt(state, node, group, want))
    })
}

/// Whether `node` has room for one instance more, which may take over that of `succeeded` if it is there.
fn has_room(state: &State, node: &Node, group: &Group, succeeded: Option<&Allocation>) -> bool {
    let held = state.held_on(node.id);
    let succeeded = succeeded.filter(|known| known.node == node.id);
    let counts = succeeded.map(|known| counts_for(known, state.allocations_of_node(node.id).map(|other| &**other)));
    let counts = counts.unwrap_or_default();
    let free = held.map_or(node.capacity(), |held| held.free(node));
    let inherited = succeeded.map(|known| state.inherited(known));
    let taken = Taken { held, placed: &Placed::NOTHING, inherited: inherited.as_ref(), shares: None };
    let gone: Vec<_> =
        succeeded.into_iter().flat_map(|known| known.ties().after.iter().copied().chain([known.id])).collect();
    let is_one_too_many = succeeded.is_none() && held.is_some_and(|held| held.free_allocations(node) == 0);
    !is_one_too_many
        && fits(group.ask_on(node).max(counts) - counts, free).is_ok()
        && Written::of(group).contended(state, node, &Placed::NOTHING, &gone).is_empty()
        && grant(node, &taken, group).is_ok()
        && room_for_ports(node, &taken, group).is_empty()
}

/// Whether an instance of `want` may take the room of lower work on `node`, and all of that would be enough.
fn may_preempt(state: &State, node: &Node, group: &Group, want: &Want) -> bool {
    let job = &want.version.job;
    if want.succeeds.is_some() || want.to.is_some() || !state.scheduler().0.preemption.allows(job.kind) {
        return false;
    }
    let is_lower = |known: &&Arc<Allocation>| {
        let version = state.job_version(&known.job, known.job_version);
        known.holds()
            && known.job != job.key()
            && version.is_some_and(|version| version.job.priority + PREEMPTION_PRIORITY_GAP <= job.priority)
    };
    // With one that goes, room comes free of what it waits for as well.
    let room = |known: &Arc<Allocation>| match known.ties().after.is_empty() {
        true => known.resources,
        false => counts_for(known, state.allocations_of_node(node.id).map(|other| &**other)),
    };
    let lower = state.allocations_of_node(node.id).filter(is_lower).map(room);
    let room = lower.fold(state.node_use(node.id).free(node), |room, freed| room + freed);
    fits(group.ask_on(node), room).is_ok()
}
