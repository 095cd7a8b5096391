//! I13: after nodes return, no name has two instances for longer than 10 s, and the one that stays is the one that its group's
//! rule names.

use std::collections::BTreeMap;
use std::time::Duration;

use model::{Allocation, AllocationId, ClientStatus, JobKey, Reconcile, StopReason, Timestamp};
use server_core::state::State;

use super::step::group_of;
use super::{Step, Violation};

pub(super) const NAME: &str = "survivors";

/// How long two may run.
pub const SETTLES_WITHIN: Duration = Duration::from_secs(10);

/// Whoever ends because one is too many is the one that its rule names.
pub(super) fn check(step: &Step<'_>, violations: &mut Vec<Violation>) {
    for (before, after) in step.stopped(StopReason::Reconnected) {
        let rule = group_of(step.after, after).and_then(|group| group.disconnect_rules()).map(|rules| rules.reconcile);
        let next = before.ties().next.and_then(|next| step.before.allocation(next));
        let replacement = next.filter(|next| next.is_live() && next.job_version == before.job_version);
        let original = before.ties().previous.and_then(|previous| step.before.allocation(previous));
        let original = original.filter(|original| original.is_live() && original.ties().next == Some(before.id));
        let is_lost = || {
            let rules = group_of(step.after, after).and_then(|group| group.disconnect_rules());
            rules.is_some_and(|rules| !rules.lost_after.is_zero())
        };
        let wrong = match rule {
            Some(Reconcile::KeepOriginal) => {
                replacement.is_some_and(|next| next.client_status != ClientStatus::Unknown)
                    && original.is_none()
                    && !is_lost()
            }
            Some(Reconcile::KeepReplacement) => {
                original.is_some_and(|original| !original.migrate && original.job_version == before.job_version)
                    && before.client_status == ClientStatus::Running
                    && replacement.is_none()
            }
            Some(Reconcile::BestScore | Reconcile::LongestRunning) | None => false,
        };
        if wrong {
            let what = format!("{} ends, which its rule {rule:?} says shall stay", before.name());
            violations.push(Violation::new(NAME, what));
        }
    }
}

/// Names of which two instances run.
#[derive(Clone, Debug, Default)]
pub struct Survivors {
    since: BTreeMap<(JobKey, String, u32), Timestamp>,
}

impl Survivors {
    /// A state was seen, of a server that is up to date.
    pub fn sees(&mut self, now: Timestamp, state: &State) -> Vec<Violation> {
        let mut running: BTreeMap<_, Vec<AllocationId>> = BTreeMap::new();
        for allocation in state.allocations_as_placed().filter(|known| counts(state, known)) {
            let name = (allocation.job.clone(), allocation.group.clone(), allocation.index);
            running.entry(name).or_default().push(allocation.id);
        }
        running.retain(|_, ids| ids.len() > 1);
        self.since.retain(|name, _| running.contains_key(name));
        let mut violations = Vec::new();
        for ((job, group, index), ids) in running {
            let since = *self.since.entry((job.clone(), group.clone(), index)).or_insert(now);
            if now.since(since) > SETTLES_WITHIN {
                let ids: Vec<_> = ids.iter().map(AllocationId::short).collect();
                let what = format!("{job}.{group}[{index}] runs as {} for {:?}", ids.join(" and "), now.since(since));
                violations.push(Violation::new(NAME, what));
            }
        }
        violations
    }
}

/// Whether it is one that should be alone: wanted, running, and neither moving nor tried out.
fn counts(state: &State, allocation: &Allocation) -> bool {
    let of_job = state.job(&allocation.job).filter(|record| !record.stop);
    allocation.is_live()
        && allocation.client_status == ClientStatus::Running
        && !allocation.migrate
        && !allocation.canary
        && of_job.is_some_and(|record| !record.current().job.kind.is_per_node())
}

#[cfg(test)]
mod tests {
    use model::testing::job;
    use model::{Desired, Disconnect};

    use super::*;
    use crate::fixture::{Played, after, bend, cluster, cluster_of, ids, observe};

    #[test]
    fn two_of_one_name_may_run_for_ten_seconds() {
        let state = cluster();
        let twins = bend(&state, ids(&state)[0], |known| known.index = 1 - known.index);
        let mut survivors = Survivors::default();
        assert_eq!(survivors.sees(after(0), &twins), []);
        assert_eq!(survivors.sees(after(10), &twins), []);
        assert_eq!(survivors.sees(after(11), &twins).len(), 1);
        assert_eq!(survivors.sees(after(12), &state), []);
        assert_eq!(survivors.sees(after(30), &twins), [], "it begins anew");
    }

    /// The second instance stands in for the first, and one of them ends for it.
    fn ends(reconcile: Reconcile, original_ends: bool) -> Played {
        let mut job = job("web").count(2);
        job.groups[0].disconnect = Some(Disconnect { reconcile, ..Disconnect::default() });
        let mut state = cluster_of(job);
        let [original, stand_in] = ids(&state)[..] else { panic!("there are two") };
        state = bend(&state, original, |known| known.tie(|ties| ties.next = Some(stand_in)));
        state = bend(&state, stand_in, |known| known.tie(|ties| ties.previous = Some(original)));
        let gone = if original_ends { original } else { stand_in };
        let before = state.clone();
        let mut played = observe(&mut state, gone, ClientStatus::Pending, Some(true));
        played.before = before;
        played.leaving(gone, |known| {
            known.client_status = ClientStatus::Running;
            known.desired = Desired::Stop(StopReason::Reconnected);
        })
    }

    #[test]
    fn the_rule_says_who_stays() {
        assert_eq!(ends(Reconcile::KeepOriginal, false).found(check), []);
        assert_eq!(ends(Reconcile::KeepOriginal, true).found(check).len(), 1);
        assert_eq!(ends(Reconcile::KeepReplacement, true).found(check), []);
        assert_eq!(ends(Reconcile::KeepReplacement, false).found(check).len(), 1);
        assert_eq!(ends(Reconcile::BestScore, true).found(check), []);
    }
}
