//! New instances in place of those that failed, move, or are out of contact.

use std::sync::Arc;

use model::{Allocation, ClientStatus, Desired, NodeStatus, Reschedule, RescheduleEvent, Timestamp};

use super::super::Want;
use super::{AtWork, Slots};
use crate::schedule::reschedule::{Verdict, judge};
use crate::state::JobVersion;

impl<'a> AtWork<'a, '_> {
    /// Wants failed instances anew, now or later, as their group's policy says.
    pub(super) fn place_failed_anew(&mut self, ended: impl Iterator<Item = &'a Arc<Allocation>>) {
        for failed in ended.filter(|known| known.client_status == ClientStatus::Failed) {
            let version = self.rollout.comes_back_as(self.group, self.pace, failed.job_version);
            let policy = version.job.group(&self.group.name).and_then(|group| group.reschedule.as_ref());
            match judge(failed, policy, self.now) {
                Verdict::Now(reschedules) => {
                    self.counts.reschedule_now += 1;
                    self.wants.push(Want {
                        index: Some(failed.index),
                        previous: Some(failed.id),
                        canary: failed.canary,
                        reschedules,
                        ..Want::fresh(&self.group.name, version)
                    });
                }
                Verdict::Later(at) => {
                    self.counts.reschedule_later += 1;
                    self.wishes.follow_up(self.state, failed, at);
                }
                Verdict::Never => {}
            }
        }
    }

    /// Wants replacements for instances that move or are out of contact.
    pub(super) fn move_and_replace(&mut self, slots: &Slots<'a>) {
        for allocation in slots.values() {
            let is_lost = !allocation.migrate && self.is_out_of_contact(allocation);
            if !allocation.migrate && !is_lost {
                continue;
            }
            if let Some(at) = self.waits_until(allocation).filter(|_| is_lost) {
                self.wishes.follow_up(self.state, allocation, at);
                continue;
            }
            let version = self.rollout.comes_back_as(self.group, self.pace, allocation.job_version);
            let Some(reschedules) = self.next_try(allocation, version) else { continue };
            if is_lost {
                self.counts.place += 1;
            } else {
                self.counts.migrate += 1;
            }
            self.wants.push(Want {
                index: Some(allocation.index),
                previous: Some(allocation.id),
                canary: allocation.canary,
                reschedules,
                ..Want::fresh(&self.group.name, version)
            });
        }
    }

    /// The history of the next replacement of `original`, if it may be placed now. After one that failed its group's
    /// policy decides, as after any failure. A move goes on even where that allows no more, since who drains a node wants
    /// it empty, and the original runs all the while: it is tried again with the growing pauses of a service's default.
    fn next_try(&mut self, original: &Allocation, version: &JobVersion) -> Option<Vec<RescheduleEvent>> {
        let last = original.next.and_then(|next| self.state.allocation(next));
        let failed = last.filter(|last| {
            let ended = matches!(last.client_status, ClientStatus::Failed | ClientStatus::Complete);
            ended && last.desired == Desired::Run
        });
        let Some(failed) = failed else { return Some(original.reschedules.clone()) };
        let policy = version.job.group(&self.group.name).and_then(|group| group.reschedule.as_ref());
        let mut verdict = judge(failed, policy, self.now);
        if verdict == Verdict::Never && original.migrate {
            verdict = judge(failed, Some(&Reschedule::default()), self.now);
        }
        match verdict {
            Verdict::Now(reschedules) => Some(reschedules),
            Verdict::Later(at) => {
                self.counts.reschedule_later += 1;
                self.wishes.follow_up(self.state, failed, at);
                None
            }
            Verdict::Never => None,
        }
    }

    pub(super) fn is_out_of_contact(&self, allocation: &Allocation) -> bool {
        let is_down = self.state.node(allocation.node).is_none_or(|node| node.status == NodeStatus::Down);
        allocation.client_status == ClientStatus::Unknown && is_down
    }

    /// Until when an instance out of contact is not replaced, if its group asks for that.
    fn waits_until(&self, allocation: &Allocation) -> Option<Timestamp> {
        let disconnect = self.group.disconnect.as_ref().filter(|disconnect| !disconnect.replace)?;
        let since = self.state.node(allocation.node).map_or(allocation.modified_at, |node| node.status_at);
        Some(since + disconnect.lost_after).filter(|at| *at > self.now)
    }
}
