//! I32: no answer lists an instance that is over, or whose node is down, for longer than 5 s more than the answer says that it
//! may be old.

use std::collections::BTreeMap;
use std::time::Duration;

use model::{AllocationId, InstanceState, NodeStatus, Timestamp};
use server_core::state::State;

use super::Violation;

pub(super) const NAME: &str = "gone unlisted";

/// How long an answer may be out of date, beside what it says of itself.
pub const LISTED_MAX: Duration = Duration::from_secs(5);

/// The catalog itself is never out of date.
pub(super) fn check(state: &State, violations: &mut Vec<Violation>) {
    for ((_, service), row) in state.services() {
        for instance in row.instances.values() {
            let id = instance.allocation;
            let passes = instance.state == InstanceState::Passing;
            let what = match state.allocation(id) {
                Some(known) if known.client_status.is_terminal() => "is over",
                Some(known) if passes && !known.is_live() => "shall stop",
                Some(known) if passes && is_silent(state, known.node) => "is on a node that is not heard",
                Some(_) | None => continue,
            };
            violations.push(Violation::new(NAME, format!("{service} lists {}, which {what}", id.short())));
        }
    }
}

fn is_silent(state: &State, node: model::NodeId) -> bool {
    state.node(node).is_none_or(|node| node.status != NodeStatus::Ready)
}

/// Since when instances are gone, for whoever asks.
#[derive(Clone, Debug, Default)]
pub struct GoneUnlisted {
    gone_since: BTreeMap<AllocationId, Timestamp>,
}

impl GoneUnlisted {
    /// A state was seen, of the server that leads.
    pub fn sees(&mut self, now: Timestamp, state: &State) {
        let is_down = |node| state.node(node).is_none_or(|node| node.status == NodeStatus::Down);
        for known in state.allocations_as_placed() {
            if known.client_status.is_terminal() || is_down(known.node) {
                self.gone_since.entry(known.id).or_insert(now);
            } else {
                self.gone_since.remove(&known.id);
            }
        }
    }

    /// Somebody asked for a service and was told of these, by an answer that may be so old.
    pub fn answered(&self, now: Timestamp, stale_for: Duration, listed: &[AllocationId]) -> Vec<Violation> {
        let wrong = |id: &AllocationId| {
            let gone = now.since(*self.gone_since.get(id)?);
            let what = || format!("{} is gone for {gone:?}, and listed", id.short());
            (gone > stale_for + LISTED_MAX).then(|| Violation::new(NAME, what()))
        };
        listed.iter().filter_map(wrong).collect()
    }
}

#[cfg(test)]
mod tests {
    use model::testing::job;
    use model::{ClientStatus, Job, Service};

    use super::*;
    use crate::fixture::{after, bend, cluster_of, found, ids, observe};

    fn provides() -> State {
        let mut job: Job = job("web").count(2);
        job.groups[0].services.push(Service { name: "web".into(), ..Service::default() });
        cluster_of(job)
    }

    #[test]
    fn a_catalog_that_lists_what_is_gone_is_found() {
        let state = provides();
        assert_eq!(found(&state, check), []);
        assert_eq!(state.service("default", "web").unwrap().instances.len(), 2);
        for status in [ClientStatus::Failed, ClientStatus::Complete] {
            let mut behind = state.clone();
            let id = ids(&state)[0];
            server_core::testing::behind_the_catalog(&mut behind, |behind| {
                *behind = bend(behind, id, |known| known.client_status = status);
            });
            assert_eq!(found(&behind, check).len(), 1);
        }
        let mut behind = state.clone();
        let node = state.allocation(ids(&state)[0]).unwrap().node;
        let mut silent = model::Node::clone(state.node(node).unwrap());
        silent.status = NodeStatus::Suspect;
        server_core::testing::put_node(&mut behind, silent);
        assert!(!found(&behind, check).is_empty());
    }

    #[test]
    fn an_answer_that_is_too_old_is_found() {
        let mut state = provides();
        let id = ids(&state)[0];
        let mut gone = GoneUnlisted::default();
        gone.sees(after(0), &state);
        observe(&mut state, id, ClientStatus::Failed, None);
        gone.sees(after(1), &state);
        assert_eq!(gone.answered(after(6), Duration::ZERO, &[id]), []);
        assert_eq!(gone.answered(after(7), Duration::ZERO, &[id]).len(), 1);
        assert_eq!(gone.answered(after(7), Duration::from_secs(1), &[id]), []);
    }
}
