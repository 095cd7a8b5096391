//! I8: no two allocations hold the same port of an address of a node, except a successor and its predecessors, and
//! where one of them says that its port may collide.

use std::collections::BTreeMap;

use model::{Allocation, AssignedPort};
use server_core::state::State;

use super::Violation;
use super::step::group_of;

pub(super) const NAME: &str = "ports";

pub(super) fn check(state: &State, violations: &mut Vec<Violation>) {
    for node in state.nodes() {
        let mut holders: BTreeMap<(&str, u16), Vec<(&Allocation, &AssignedPort)>> = BTreeMap::new();
        for allocation in state.allocations_of_node(node.id).filter(|known| known.holds()) {
            for port in &allocation.ports {
                holders.entry((&port.host_ip, port.value)).or_default().push((allocation, port));
            }
        }
        for ((address, value), holders) in holders.into_iter().filter(|(_, holders)| holders.len() > 1) {
            for (at, (one, port)) in holders.iter().enumerate() {
                let clashes = |(other, known): &&(&Allocation, &AssignedPort)| {
                    let waits = one.ties().after.contains(&other.id) || other.ties().after.contains(&one.id);
                    let is_same = one.id == other.id;
                    !waits && !is_same && !may_collide(state, one, port) && !may_collide(state, other, known)
                };
                if let Some((other, _)) = holders[at + 1..].iter().find(clashes) {
                    let (one, other) = (one.name(), other.name());
                    let what = format!("port {value} at {address} of {} by {one} and {other}", node.name);
                    violations.push(Violation::new(NAME, what));
                }
            }
        }
    }
}

fn may_collide(state: &State, allocation: &Allocation, port: &AssignedPort) -> bool {
    let ports = group_of(state, allocation).into_iter().flat_map(|group| &group.networks);
    ports
        .flat_map(|network| network.ports())
        .filter(|known| known.label == port.label)
        .any(|known| known.ignore_collision)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{bend, cluster, found, ids, node_id};

    #[test]
    fn a_port_that_two_hold_is_found() {
        let mut state = cluster();
        let [first, second] = ids(&state)[..] else { panic!("there are two") };
        let port = |value| AssignedPort { label: "http".into(), value, to: 80, host_ip: "10.0.0.1".into() };
        for (id, value) in [(first, 20_000), (second, 20_001)] {
            state = bend(&state, id, |known| {
                known.node = node_id("n1");
                known.ports = vec![port(value)];
            });
        }
        assert_eq!(found(&state, check), []);
        let clash = bend(&state, second, |known| known.ports = vec![port(20_000)]);
        assert_eq!(found(&clash, check).len(), 1);
        let waits = bend(&clash, second, |known| known.tie(|ties| ties.after = vec![first]));
        assert_eq!(found(&waits, check), []);
    }
}
