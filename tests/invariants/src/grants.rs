//! I10: no core is held by two allocations of a node and no device by more than the whole of it, except that a successor
//! may have what its predecessors hold. What is held is what the document asks for.

use std::collections::{BTreeMap, BTreeSet};

use model::{Allocation, AllocationId, DeviceId, WHOLE_DEVICE};
use server_core::state::State;

use super::Violation;

pub(super) fn check(state: &State, violations: &mut Vec<Violation>) {
    for node in state.nodes() {
        let held: BTreeMap<AllocationId, &Allocation> = state
            .allocations_of_node(node.id)
            .filter(|allocation| !allocation.client_status.is_terminal())
            .map(|allocation| (allocation.id, &**allocation))
            .collect();
        cores(&node.name, &held, violations);
        devices(&node.name, &held, violations);
        held.values().for_each(|allocation| asked(state, allocation, violations));
    }
}

fn cores(node: &str, held: &BTreeMap<AllocationId, &Allocation>, violations: &mut Vec<Violation>) {
    let of = |allocation: &Allocation| -> Vec<u16> {
        allocation.cores.iter().flat_map(|grant| grant.ids.iter().copied()).collect()
    };
    for (id, one) in held {
        let own = of(one);
        let mut what: Vec<_> = own
            .iter()
            .filter(|core| own.iter().filter(|other| other == core).count() > 1)
            .map(|core| (core, one))
            .collect();
        let others = held.iter().filter(|(other, _)| *other > id);
        for (_, other) in
            others.filter(|(other, known)| !one.ties().after.contains(other) && !known.ties().after.contains(id))
        {
            what.extend(own.iter().filter(|core| of(other).contains(core)).map(|core| (core, other)));
        }
        for (core, other) in what {
            let what = format!("core {core} of {node} by {} and {}", one.name(), other.name());
            violations.push(Violation { invariant: "cores", what });
        }
    }
}

fn devices(node: &str, held: &BTreeMap<AllocationId, &Allocation>, violations: &mut Vec<Violation>) {
    let ids: BTreeSet<&DeviceId> =
        held.values().flat_map(|allocation| allocation.devices.iter().map(|grant| &grant.device)).collect();
    let succeeded = |id: &AllocationId| held.values().any(|other| other.ties().after.contains(id));
    for device in ids {
        let last = held.values().filter(|allocation| !succeeded(&allocation.id));
        let sum: u64 = last.map(|allocation| weight(allocation, device, held)).sum();
        if sum > u64::from(WHOLE_DEVICE) {
            let what = format!("{device} of {node}: {sum} held of {WHOLE_DEVICE}");
            violations.push(Violation { invariant: "devices", what });
        }
    }
}

/// How much of a device an allocation and those before it count for.
fn weight(allocation: &Allocation, device: &DeviceId, held: &BTreeMap<AllocationId, &Allocation>) -> u64 {
    let own =
        allocation.devices.iter().filter(|grant| grant.device == *device).map(|grant| u64::from(grant.share)).sum();
    let before: Vec<_> = allocation.ties().after.iter().filter_map(|id| held.get(id)).collect();
    // What waits for the same predecessor as its own predecessor does is counted with that.
    let counts = |one: &&&&Allocation| !before.iter().any(|other| other.ties().after.contains(&one.id));
    let predecessors: u64 = before.iter().filter(counts).map(|one| weight(one, device, held)).sum();
    predecessors.max(own)
}

/// Each task holds as many cores and devices as its document says.
fn asked(state: &State, allocation: &Allocation, violations: &mut Vec<Violation>) {
    let version = state.job_version(&allocation.job, allocation.job_version);
    let Some(group) = version.and_then(|version| version.job.group(&allocation.group)) else { return };
    for task in &group.tasks {
        let cores: usize =
            allocation.cores.iter().filter(|grant| grant.task == task.name).map(|grant| grant.ids.len()).sum();
        let devices = allocation.devices.iter().filter(|grant| grant.task == task.name).count() as u64;
        let wanted: u64 = task.resources.devices.iter().map(|device| device.count).sum();
        if cores != task.resources.cores as usize || devices != wanted {
            let what = format!("{} holds {cores} cores and {devices} devices for {}", allocation.name(), task.name);
            violations.push(Violation { invariant: "grants", what });
        }
    }
}
