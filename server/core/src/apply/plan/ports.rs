//! Ports of a new instance: static ones if they are free, dynamic ones from a cursor that goes round; each on the address
//! of its network.
//!
//! The cursor never picks the lowest free port: a client that still has an old DNS answer would reach the next tenant.

use std::collections::{BTreeMap, BTreeSet};

use model::old_bugs::{OldBug, drift, is_on};
use model::{AssignedPort, Group, Misfit, Node, NodeId, Port};

use crate::plan::{Placement, Plan};
use crate::schedule::grant::address_of;
use crate::state::{NodeUse, State};

/// The static ports that `plan` asks for on each node.
pub(super) fn fixed_by(state: &State, plan: &Plan) -> BTreeMap<NodeId, BTreeSet<(String, u16)>> {
    let mut fixed: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    // Lines of one group and version mostly come together.
    let mut last: Option<(&Placement, Vec<&Port>)> = None;
    for placement in &plan.placements {
        let is_same = |of: &Placement| (of.job_version, &of.group) == (placement.job_version, &placement.group);
        last.take_if(|(of, _)| !is_same(of));
        let reserved_ports = || {
            let group = state.job_version(&plan.job, placement.job_version)?.job.group(&placement.group)?;
            Some(group.networks.iter().flat_map(|network| &network.reserved_ports).collect())
        };
        let (_, ports) = last.get_or_insert_with(|| (placement, reserved_ports().unwrap_or_default()));
        if ports.is_empty() {
            continue;
        }
        let Some(node) = state.node(placement.node) else { continue };
        for port in ports {
            if let Some(address) = address_of(port, node) {
                fixed.entry(node.id).or_default().insert((address.to_string(), port.value));
            }
        }
    }
    fixed
}

/// Assigns the group's ports on `node`, where `used` are held; of these `inherited` are held by predecessors. Ports that
/// the plan asks for are not picked for others.
pub(super) fn assign(
    state: &mut State,
    node: &Node,
    group: &Group,
    used: &NodeUse,
    inherited: &NodeUse,
    asked: Option<&BTreeSet<(String, u16)>>,
) -> Result<Vec<AssignedPort>, Vec<Misfit>> {
    // Looked up where they stand: a copy of all that is used there would be made for each instance.
    let mut own = BTreeSet::new();
    let is_taken = |address: &str, port: u16, own: &BTreeSet<(&str, u16)>| {
        node.reserves_port(address, port) || used.holds_port(address, port) || own.contains(&(address, port))
    };
    let mut ports = Vec::new();
    let mut misfits = Vec::new();
    for port in group.networks.iter().flat_map(|network| &network.reserved_ports) {
        let Some(address) = address_of(port, node) else {
            misfits.push(Misfit::HostNetwork { name: port.host_network.clone() });
            continue;
        };
        // What its predecessors hold is free for it, unless others share it with them.
        let is_inherited = inherited.holds_port(address, port.value)
            && inherited.holders_of_port(address, port.value) >= used.holders_of_port(address, port.value);
        if is_taken(address, port.value, &own) && !(port.ignore_collision || is_inherited) {
            misfits.push(Misfit::PortTaken { port: port.value });
        }
        own.insert((address, port.value));
        ports.push(assigned(port, port.value, address));
    }
    for port in group.networks.iter().flat_map(|network| &network.dynamic_ports) {
        let Some(address) = address_of(port, node) else {
            misfits.push(Misfit::HostNetwork { name: port.host_network.clone() });
            continue;
        };
        let is_asked = |port: u16| asked.is_some_and(|asked| asked.contains(&(address.to_string(), port)));
        let is_taken = |port: u16| match is_on(OldBug::PortsGivenTwice) {
            true => own.contains(&(address, port)),
            false => is_taken(address, port, &own) || is_asked(port),
        };
        match next_dynamic(state, node, is_taken) {
            Some(value) => {
                own.insert((address, value));
                ports.push(assigned(port, value, address));
            }
            None => misfits.push(Misfit::NoDynamicPort),
        }
    }
    if misfits.is_empty() { Ok(ports) } else { Err(misfits) }
}

fn next_dynamic(state: &mut State, node: &Node, is_taken: impl Fn(u16) -> bool) -> Option<u16> {
    let (first, last) = node.dynamic_ports;
    let cursor = state.port_cursors.get(&node.id).copied().unwrap_or(first).clamp(first, last);
    let cursor = cursor.saturating_add(drift(OldBug::EntriesDiffer)).min(last);
    let free = (cursor..=last).chain(first..cursor).find(|port| !is_taken(*port))?;
    let next = if free >= last || is_on(OldBug::PortsGivenTwice) { first } else { free + 1 };
    state.port_cursors.insert(node.id, next);
    Some(free)
}

fn assigned(port: &Port, value: u16, address: &str) -> AssignedPort {
    let to = u16::try_from(port.to).ok().filter(|to| *to > 0).unwrap_or(value);
    AssignedPort { label: port.label.clone(), value, to, host_ip: address.to_string() }
}
