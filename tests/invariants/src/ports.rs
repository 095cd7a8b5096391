//! I8: no two allocations hold the same port of an address of a node, except a successor and its predecessors, and
//! where one of them says that its port may collide.

use model::{Allocation, AssignedPort};
use server_core::state::State;

use super::Violation;

pub(super) fn check(state: &State, violations: &mut Vec<Violation>) {
    for node in state.nodes() {
        let held: Vec<_> =
            state.allocations_of_node(node.id).filter(|allocation| !allocation.client_status.is_terminal()).collect();
        for (at, one) in held.iter().enumerate() {
            for other in &held[at + 1..] {
                if one.ties().after.contains(&other.id) || other.ties().after.contains(&one.id) {
                    continue;
                }
                let is_same = |port: &AssignedPort, known: &AssignedPort| {
                    known.value == port.value
                        && known.host_ip == port.host_ip
                        && !may_collide(state, one, port)
                        && !may_collide(state, other, known)
                };
                let shared = one.ports.iter().find(|port| other.ports.iter().any(|known| is_same(port, known)));
                if let Some(port) = shared {
                    let what = format!(
                        "port {} at {} of {} by {} and {}",
                        port.value,
                        port.host_ip,
                        node.name,
                        one.name(),
                        other.name()
                    );
                    violations.push(Violation { invariant: "ports", what });
                }
            }
        }
    }
}

fn may_collide(state: &State, allocation: &Allocation, port: &AssignedPort) -> bool {
    let version = state.job_version(&allocation.job, allocation.job_version);
    let group = version.and_then(|version| version.job.group(&allocation.group));
    let ports = group.into_iter().flat_map(|group| &group.networks).flat_map(|network| network.ports());
    ports.filter(|known| known.label == port.label).any(|known| known.ignore_collision)
}
