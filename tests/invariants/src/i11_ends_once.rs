//! I11: an allocation that is over stays over: nothing of it changes any more but its ties, and none of its containers starts.

use std::collections::BTreeMap;

use model::{AllocationId, Timestamp};
use server_core::state::State;

use super::{Container, Step, Violation};

pub(super) const NAME: &str = "ends once";

pub(super) fn check(step: &Step<'_>, violations: &mut Vec<Violation>) {
    for (before, after) in step.allocations() {
        let Some(before) = before.filter(|known| known.client_status.is_terminal()) else { continue };
        let stays = after.client_status == before.client_status && after.tasks == before.tasks;
        let wants_no_more = after.desired == before.desired || after.desired != model::Desired::Run;
        if !stays || !wants_no_more || after.node != before.node {
            let what = format!(
                "{} is {} and becomes {} by {}",
                after.id.short(),
                before.client_status.as_str(),
                after.client_status.as_str(),
                step.entry.command.name()
            );
            violations.push(Violation::new(NAME, what));
        }
    }
}

/// When allocations were observed to be over, for whoever sees containers.
#[derive(Clone, Debug, Default)]
pub struct Ends {
    over: BTreeMap<AllocationId, Timestamp>,
}

impl Ends {
    /// A state was seen.
    pub fn sees(&mut self, now: Timestamp, state: &State) {
        for allocation in state.allocations_as_placed() {
            // Of what is lost nobody has observed anything: it may well run.
            if allocation.client_status.is_terminal() && allocation.client_status != model::ClientStatus::Lost {
                self.over.entry(allocation.id).or_insert(now);
            }
        }
    }

    /// The containers of a host were seen.
    pub fn found(&self, containers: &[Container]) -> Vec<Violation> {
        let wrong = |container: &Container| {
            let over = self.over.get(&container.allocation?)?;
            let starts = container.started_at > *over;
            let what =
                || format!("{} of allocation {:?} started after that was over", container.id, container.allocation);
            starts.then(|| Violation::new(NAME, what()))
        };
        containers.iter().filter_map(wrong).collect()
    }
}

#[cfg(test)]
mod tests {
    use model::ClientStatus;

    use super::*;
    use crate::fixture::{START, after, cluster, ids, observe};

    #[test]
    fn what_lives_again_is_found() {
        let mut state = cluster();
        let id = ids(&state)[0];
        let played = observe(&mut state, id, ClientStatus::Failed, None);
        assert_eq!(played.found(check), []);
        let mut again = played;
        again.before = again.after.clone();
        let again = again.leaving(id, |known| known.client_status = ClientStatus::Running);
        assert_eq!(again.found(check).len(), 1);
    }

    #[test]
    fn a_container_that_starts_after_the_end_is_found() {
        let mut state = cluster();
        let id = ids(&state)[0];
        observe(&mut state, id, ClientStatus::Complete, None);
        let mut ends = Ends::default();
        ends.sees(after(10), &state);
        let container =
            |started_at| Container { id: "c1".into(), allocation: Some(id), task: "web".into(), pid: 1, started_at };
        assert_eq!(ends.found(&[container(START)]), []);
        assert_eq!(ends.found(&[container(after(11))]).len(), 1);
    }
}
