//! Ports of one more instance: static ones that are free, and room for dynamic ones, each on the address of its network.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use model::{Group, Misfit, Node, Port};

use super::Taken;
use crate::schedule::constraint::resolve;

/// The network that a port names; none where it is told by an attribute that the node does not have.
pub(crate) fn network_of<'a>(port: &'a Port, node: &'a Node) -> Option<Cow<'a, str>> {
    if port.host_network.starts_with("${") {
        resolve(&port.host_network, node)
    } else {
        Some(Cow::Borrowed(&port.host_network))
    }
}

/// The address of the node on which a port is published; none where the node has no such network.
pub(crate) fn address_of<'n>(port: &Port, node: &'n Node) -> Option<&'n str> {
    node.address_on(&network_of(port, node)?)
}

/// Which ports of one instance of `group` are not to be had on `node`. Networks that it lacks are passed over.
pub(crate) fn room_for_ports(node: &Node, taken: &Taken<'_>, group: &Group) -> Vec<Misfit> {
    let mut misfits = Vec::new();
    let mut own: BTreeMap<&str, BTreeSet<u16>> = BTreeMap::new();
    for port in group.networks.iter().flat_map(|network| &network.reserved_ports) {
        let Some(address) = address_of(port, node) else { continue };
        let is_first = own.entry(address).or_default().insert(port.value);
        let is_free = !node.reserves_port(address, port.value) && !taken.is_port_taken(address, port.value);
        if !(port.ignore_collision || is_first && is_free) {
            misfits.push(Misfit::PortTaken { port: port.value });
        }
    }
    let mut wanted: BTreeMap<&str, usize> = BTreeMap::new();
    for port in group.networks.iter().flat_map(|network| &network.dynamic_ports) {
        let Some(address) = address_of(port, node) else { continue };
        *wanted.entry(address).or_default() += 1;
    }
    // Nobody knows yet which ports the dynamic ones of the plan are: some of the range must be left for all.
    let has_room = |(address, own): (&&str, &BTreeSet<u16>)| taken.ports_left(node, address, own).is_some();
    if taken.placed.has_dynamic_ports() && !own.iter().all(has_room) {
        misfits.push(Misfit::NoDynamicPort);
        return misfits;
    }
    let nothing = BTreeSet::new();
    let is_short = |(address, wanted): (&&str, &usize)| {
        taken.free_dynamic_ports(node, address, own.get(address).unwrap_or(&nothing)) < *wanted
    };
    if wanted.iter().any(is_short) {
        misfits.push(Misfit::NoDynamicPort);
    }
    misfits
}
