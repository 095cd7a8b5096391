//! I14: of an allocation that shall stop, or is forgotten, there is no container any more 15 s after it had its time to stop,
//! on a host that can be reached.

use std::collections::BTreeMap;
use std::time::Duration;

use model::{AllocationId, Desired, NodeId, Timestamp};
use server_core::state::State;

use super::step::group_of;
use super::{Container, Violation};

pub(super) const NAME: &str = "leftovers";

/// How much longer than its time to stop a container may be there.
pub const STOPS_WITHIN: Duration = Duration::from_secs(15);

/// Since when containers should be gone.
#[derive(Clone, Debug, Default)]
pub struct Leftovers {
    unwanted_since: BTreeMap<(NodeId, AllocationId), (Timestamp, Duration)>,
}

impl Leftovers {
    /// The containers of a host were seen, beside the state of a server that is up to date. All of them: what is not named
    /// is gone.
    pub fn found(&mut self, now: Timestamp, node: NodeId, containers: &[Container], state: &State) -> Vec<Violation> {
        let there: BTreeMap<AllocationId, &Container> =
            containers.iter().filter_map(|container| Some((container.allocation?, container))).collect();
        let unwanted = |id: &AllocationId| state.allocation(*id).is_none_or(|known| known.desired != Desired::Run);
        self.unwanted_since.retain(|(of, id), _| *of != node || (there.contains_key(id) && unwanted(id)));
        let mut violations = Vec::new();
        for (id, container) in there.into_iter().filter(|(id, _)| unwanted(id)) {
            let takes = || {
                let group = state.allocation(id).and_then(|known| group_of(state, known));
                group.map(|group| group.time_to_stop()).unwrap_or_default()
            };
            let (since, takes) = *self.unwanted_since.entry((node, id)).or_insert_with(|| (now, takes()));
            if now.since(since) > takes + STOPS_WITHIN {
                let what =
                    format!("{} of allocation {} is not wanted since {:?}", container.id, id.short(), now.since(since));
                violations.push(Violation::new(NAME, what));
            }
        }
        violations
    }

    /// A host can't be reached: nobody can stop anything there.
    pub fn unreachable(&mut self, node: NodeId) {
        self.unwanted_since.retain(|(of, _), _| *of != node);
    }
}

#[cfg(test)]
mod tests {
    use server_core::command::Command;

    use super::*;
    use crate::fixture::{START, after, cluster, ids, play};

    #[test]
    fn a_container_that_outlives_its_allocation_is_found() {
        let mut state = cluster();
        let id = ids(&state)[0];
        let node = state.allocation(id).unwrap().node;
        let takes = group_of(&state, state.allocation(id).unwrap()).unwrap().time_to_stop().as_secs() as i64;
        let container =
            Container { id: "c1".into(), allocation: Some(id), task: "web".into(), pid: 1, started_at: START };
        let containers = [container];
        let mut leftovers = Leftovers::default();
        assert_eq!(leftovers.found(after(0), node, &containers, &state), []);
        play(&mut state, Command::StopAllocation { allocation: id });
        let last = takes + STOPS_WITHIN.as_secs() as i64;
        assert_eq!(leftovers.found(after(100), node, &containers, &state), []);
        assert_eq!(leftovers.found(after(100 + last), node, &containers, &state), []);
        assert_eq!(leftovers.found(after(101 + last), node, &containers, &state).len(), 1);
        leftovers.unreachable(node);
        assert_eq!(leftovers.found(after(200 + last), node, &containers, &state), [], "its time begins anew");
        let empty = State::default();
        assert_eq!(
            leftovers.found(after(300 + 2 * last), node, &containers, &empty).len(),
            1,
            "nor when it is forgotten"
        );
        assert_eq!(leftovers.found(after(400 + 2 * last), node, &[], &empty), []);
    }
}
