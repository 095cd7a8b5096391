//! I33: an instance that runs and whose checks pass, on a node that is heard, is never missing for longer than 5 s.

use std::collections::BTreeMap;
use std::time::Duration;

use model::{Allocation, AllocationId, CheckStatus, ClientStatus, InstanceState, NodeStatus, Service, Timestamp};
use server_core::state::State;

use super::Violation;
use super::step::group_of;

pub(super) const NAME: &str = "well listed";

/// How long an answer may miss one.
pub const MISSING_MAX: Duration = Duration::from_secs(5);

/// The catalog itself misses none.
pub(super) fn check(state: &State, violations: &mut Vec<Violation>) {
    let mut listed: BTreeMap<AllocationId, usize> = BTreeMap::new();
    for (_, row) in state.services() {
        for instance in row.instances.values().filter(|known| known.state == InstanceState::Passing) {
            *listed.entry(instance.allocation).or_default() += 1;
        }
    }
    for known in state.allocations_as_placed().filter(|known| is_reachable(state, known)) {
        let passing = provided(state, known).filter(|service| passes(known, service)).count();
        let number = listed.get(&known.id).copied().unwrap_or_default();
        if number != passing {
            let what = format!("{} provides {passing} services, {number} are listed", known.id.short());
            violations.push(Violation::new(NAME, what));
        }
    }
}

fn is_reachable(state: &State, known: &Allocation) -> bool {
    let is_ready = || state.node(known.node).is_some_and(|node| node.status == NodeStatus::Ready);
    known.is_live() && known.client_status == ClientStatus::Running && is_ready()
}

fn provided<'a>(state: &'a State, known: &Allocation) -> impl Iterator<Item = &'a Service> {
    group_of(state, known).into_iter().flat_map(|group| group.all_services()).map(|(_, service)| service)
}

fn passes(known: &Allocation, service: &Service) -> bool {
    let status = |at| known.checks.get(&service.check_key(at)).map(|check| check.status);
    let mut probed = (0..service.checks.len()).filter(|at| service.checks[*at].is_probed());
    probed.all(|at| status(at) == Some(CheckStatus::Passing))
}

/// Since when instances are well, for whoever asks.
#[derive(Clone, Debug, Default)]
pub struct WellListed {
    well_since: BTreeMap<(String, String, AllocationId), Timestamp>,
}

impl WellListed {
    /// A state was seen, of the server that leads.
    pub fn sees(&mut self, now: Timestamp, state: &State) {
        let mut well = BTreeMap::new();
        for known in state.allocations_as_placed().filter(|known| is_reachable(state, known)) {
            for service in provided(state, known).filter(|service| passes(known, service)) {
                let key = (known.job.namespace.to_string(), service.name.clone(), known.id);
                let since = self.well_since.get(&key).copied().unwrap_or(now);
                well.insert(key, since);
            }
        }
        self.well_since = well;
    }

    /// Somebody asked for a service and was told of these, by an answer that may be so old.
    pub fn answered(
        &self,
        now: Timestamp,
        stale_for: Duration,
        namespace: &str,
        service: &str,
        listed: &[AllocationId],
    ) -> Vec<Violation> {
        let mut violations = Vec::new();
        for ((of, name, id), since) in &self.well_since {
            let well = now.since(*since);
            if of == namespace && name == service && well > stale_for + MISSING_MAX && !listed.contains(id) {
                violations
                    .push(Violation::new(NAME, format!("{} of {name} is well for {well:?}, and missing", id.short())));
            }
        }
        violations
    }
}

#[cfg(test)]
mod tests {
    use model::Job;
    use model::testing::job;

    use super::*;
    use crate::fixture::{after, bend, cluster_of, found, ids};

    fn provides() -> State {
        let mut job: Job = job("web").count(2);
        job.groups[0].services.push(Service { name: "web".into(), ..Service::default() });
        cluster_of(job)
    }

    #[test]
    fn a_catalog_that_misses_one_is_found() {
        let state = provides();
        assert_eq!(found(&state, check), []);
        let id = ids(&state)[0];
        let starts = bend(&state, id, |known| known.client_status = ClientStatus::Pending);
        let mut behind = starts.clone();
        server_core::testing::behind_the_catalog(&mut behind, |behind| {
            *behind = bend(behind, id, |known| known.client_status = ClientStatus::Running);
        });
        assert_eq!(found(&starts, check), []);
        assert_eq!(found(&behind, check).len(), 1);
    }

    #[test]
    fn an_answer_that_misses_one_is_found() {
        let state = provides();
        let all = ids(&state);
        let mut well = WellListed::default();
        well.sees(after(0), &state);
        well.sees(after(5), &state);
        let asked = |now, stale_for, listed: &[AllocationId]| {
            well.answered(now, Duration::from_secs(stale_for), "default", "web", listed).len()
        };
        assert_eq!(asked(after(5), 0, &[]), 0);
        assert_eq!(asked(after(6), 0, &[]), 2);
        assert_eq!(asked(after(6), 1, &[]), 0);
        assert_eq!(asked(after(6), 0, &all[..1]), 1);
        assert_eq!(asked(after(6), 0, &all), 0);
    }
}
