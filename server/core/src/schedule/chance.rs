//! Whether a blocked evaluation would find a place on nodes that gained something, asked without planning anything.
//!
//! It looks at what the job wants now, and at those nodes only. A yes is an instance that fits; what a plan does with it is
//! the planner's. A no is sure: what was in the way on all other nodes still is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::{Allocation, Group, JobKey, Node, NodeId, Timestamp, fits};

use super::Feasibility;
use super::reconcile::{Want, reconcile};
use crate::state::{State, counts_for};

/// Whether an instance that the job of that key wants has a place on one of `nodes`.
pub fn has_chance(state: &State, job: &JobKey, nodes: &BTreeSet<NodeId>, now: Timestamp) -> bool {
    let wishes = reconcile(state, job, None, now);
    let mut asks: BTreeMap<(&str, u64), Feasibility<'_>> = BTreeMap::new();
    let mut had_plain = BTreeSet::new();
    for want in &wishes.wants {
        let Some(group) = want.version.job.group(&want.group) else { continue };
        let key = (want.group.as_str(), want.version.version);
        // Equals have equal chances.
        if is_plain(want) && !had_plain.insert(key) {
            continue;
        }
        let feasibility = asks.entry(key).or_insert_with(|| {
            let mut feasibility = Feasibility::new(state, &want.version, group);
            wishes.stops.iter().for_each(|stop| feasibility.leave(stop.allocation));
            feasibility
        });
        if fits_on_one(state, want, group, feasibility, nodes) {
            return true;
        }
    }
    false
}

/// Whether nothing tells it from the others of its group and version.
fn is_plain(want: &Want) -> bool {
    want.node.is_none() && want.previous.is_none() && want.succeeds.is_none()
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
    let may_go = |id: &&NodeId| want.node.is_none_or(|only| only == **id);
    let open = nodes.iter().filter(may_go).filter_map(|id| state.node(*id));
    open.into_iter()
        .any(|node| feasibility.misfits(node, leaving).is_empty() && has_room(state, node, group, succeeded))
}

/// Whether `node` has room for one instance more, which may take over that of `succeeded` if it is there.
fn has_room(state: &State, node: &Arc<Node>, group: &Group, succeeded: Option<&Allocation>) -> bool {
    let held = state.node_use(node.id);
    let succeeded = succeeded.filter(|known| known.node == node.id);
    let counts = succeeded.map(|known| counts_for(known, state.allocations_of_node(node.id).map(|other| &**other)));
    let counts = counts.unwrap_or_default();
    let amounts = fits(group.ask().max(counts) - counts, held.free(node)).is_ok();
    let inherited = |port: u16| succeeded.is_some_and(|known| known.ports.iter().any(|known| known.value == port));
    let is_taken = |port: u16| node.reserved_ports.contains(&port) || held.ports.contains(&port);
    let mut fixed = group.networks.iter().flat_map(|network| &network.reserved_ports);
    let dynamic: usize = group.networks.iter().map(|network| network.dynamic_ports.len()).sum();
    let (first, last) = node.dynamic_ports;
    amounts
        && fixed.all(|port| !is_taken(port.value) || inherited(port.value))
        && (first..=last).filter(|port| !is_taken(*port)).take(dynamic).count() == dynamic
}
