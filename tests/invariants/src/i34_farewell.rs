//! I34: an instance that is stopped leaves the catalog before its container gets a signal.

use std::collections::BTreeMap;

use model::{AllocationId, InstanceState, Timestamp};
use server_core::state::State;

use super::Violation;

pub(super) const NAME: &str = "farewell";

/// Which instances the catalog names.
#[derive(Clone, Debug, Default)]
pub struct Farewells {
    passing: BTreeMap<AllocationId, Timestamp>,
}

impl Farewells {
    /// A state was seen, of a server that is up to date.
    pub fn sees(&mut self, now: Timestamp, state: &State) {
        let rows = state.services().flat_map(|(_, row)| row.instances.values());
        let passing = rows.filter(|known| known.state == InstanceState::Passing).map(|known| (known.allocation, now));
        self.passing = passing.collect();
    }

    /// An agent sends its container the signal to stop, because its allocation shall stop.
    pub fn signalled(&self, allocation: AllocationId) -> Vec<Violation> {
        let what = |_| format!("{} gets its signal, and is in the catalog", allocation.short());
        self.passing.get(&allocation).map(|seen| Violation::new(NAME, what(seen))).into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use model::testing::job;
    use model::{Job, Service};
    use server_core::command::Command;

    use super::*;
    use crate::fixture::{after, cluster_of, ids, play};

    #[test]
    fn a_signal_that_comes_too_early_is_found() {
        let mut job: Job = job("web").count(2);
        job.groups[0].services.push(Service { name: "web".into(), ..Service::default() });
        let mut state = cluster_of(job);
        let id = ids(&state)[0];
        let mut farewells = Farewells::default();
        farewells.sees(after(0), &state);
        assert_eq!(farewells.signalled(id).len(), 1);
        play(&mut state, Command::StopAllocation { allocation: id });
        farewells.sees(after(1), &state);
        assert_eq!(farewells.signalled(id), []);
    }
}
