//! Ports of a new instance: static ones if they are free, dynamic ones from a cursor that goes round.
//!
//! The cursor never picks the lowest free port: a client that still has an old DNS answer would reach the next tenant.

use std::collections::BTreeSet;

use model::{AssignedPort, Group, Misfit, Node, Port};

use crate::state::State;

/// Assigns the group's ports on `node`, where `used` are held; of these `inherited` are held by predecessors.
pub(super) fn assign(
    state: &mut State,
    node: &Node,
    group: &Group,
    used: &BTreeSet<u16>,
    inherited: &BTreeSet<u16>,
) -> Result<Vec<AssignedPort>, Vec<Misfit>> {
    // Looked up where they stand: a copy of all that is used there would be made for each instance.
    let mut own = BTreeSet::new();
    let is_taken = |port: u16, own: &BTreeSet<u16>| {
        node.reserved_ports.contains(&port) || used.contains(&port) || own.contains(&port)
    };
    let mut ports = Vec::new();
    let mut misfits = Vec::new();
    for port in group.networks.iter().flat_map(|network| &network.reserved_ports) {
        if is_taken(port.value, &own) && !inherited.contains(&port.value) {
            misfits.push(Misfit::PortTaken { port: port.value });
        }
        own.insert(port.value);
        ports.push(assigned(port, port.value, node));
    }
    for port in group.networks.iter().flat_map(|network| &network.dynamic_ports) {
        match next_dynamic(state, node, |port| is_taken(port, &own)) {
            Some(value) => {
                own.insert(value);
                ports.push(assigned(port, value, node));
            }
            None => misfits.push(Misfit::NoDynamicPort),
        }
    }
    if misfits.is_empty() { Ok(ports) } else { Err(misfits) }
}

fn next_dynamic(state: &mut State, node: &Node, is_taken: impl Fn(u16) -> bool) -> Option<u16> {
    let (first, last) = node.dynamic_ports;
    let cursor = state.port_cursors.get(&node.id).copied().unwrap_or(first).clamp(first, last);
    let free = (cursor..=last).chain(first..cursor).find(|port| !is_taken(*port))?;
    let next = if free >= last { first } else { free + 1 };
    state.port_cursors.insert(node.id, next);
    Some(free)
}

fn assigned(port: &Port, value: u16, node: &Node) -> AssignedPort {
    let to = u16::try_from(port.to).ok().filter(|to| *to > 0).unwrap_or(value);
    AssignedPort { label: port.label.clone(), value, to, host_ip: node.address.clone() }
}
