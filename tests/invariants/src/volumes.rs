//! Where an allocation writes to a volume of its host alone, no other writes to it, but one that waits for it. A volume that
//! each instance has for itself is another one for each name index.

use std::collections::BTreeMap;

use model::{Allocation, Group};
use server_core::state::State;

use super::Violation;

pub(super) fn check(state: &State, violations: &mut Vec<Violation>) {
    for node in state.nodes() {
        let mut writers: BTreeMap<String, Vec<(&Allocation, bool)>> = BTreeMap::new();
        for allocation in state.allocations_of_node(node.id).filter(|known| !known.client_status.is_terminal()) {
            for volume in
                group(state, allocation).into_iter().flat_map(Group::host_volumes).filter(|one| !one.read_only)
            {
                let is_alone = volume.access_mode == "single-node-single-writer";
                let of_index = if volume.per_alloc { format!("[{}]", allocation.index) } else { String::new() };
                writers.entry(format!("{}{of_index}", volume.source)).or_default().push((allocation, is_alone));
            }
        }
        for (source, writers) in writers {
            for (at, (one, is_alone)) in writers.iter().enumerate() {
                for (other, is_other_alone) in &writers[at + 1..] {
                    // One that waits for the other is not there before that is gone.
                    let waits = one.ties().after.contains(&other.id) || other.ties().after.contains(&one.id);
                    if !waits && (*is_alone || *is_other_alone) {
                        let what = format!("{} and {} write to {source} of {}", one.name(), other.name(), node.name);
                        violations.push(Violation { invariant: "volumes", what });
                    }
                }
            }
        }
    }
}

fn group<'a>(state: &'a State, allocation: &Allocation) -> Option<&'a Group> {
    state.job_version(&allocation.job, allocation.job_version)?.job.group(&allocation.group)
}
