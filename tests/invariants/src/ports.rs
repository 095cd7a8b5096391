//! I8: no two allocations hold the same port of a node, except a successor and its predecessors.

use server_core::state::State;

use super::Violation;

pub(super) fn check(state: &State, violations: &mut Vec<Violation>) {
    for node in state.nodes() {
        let held: Vec<_> =
            state.allocations_of_node(node.id).filter(|allocation| !allocation.client_status.is_terminal()).collect();
        for (at, one) in held.iter().enumerate() {
            for other in &held[at + 1..] {
                if one.after.contains(&other.id) || other.after.contains(&one.id) {
                    continue;
                }
                let shared = one.ports.iter().find(|port| other.ports.iter().any(|known| known.value == port.value));
                if let Some(port) = shared {
                    let what = format!("port {} of {} by {} and {}", port.value, node.name, one.name(), other.name());
                    violations.push(Violation { invariant: "ports", what });
                }
            }
        }
    }
}
