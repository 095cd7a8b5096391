//! New instances in place of those that failed, move, or are out of contact.

use std::sync::Arc;

use model::{Allocation, ClientStatus, Desired, Group, Reschedule, RescheduleEvent, StopReason, Timestamp};

use super::super::Want;
use super::{AtWork, Slots};
use crate::plan::Stop;
use crate::rebalance;
use crate::reconnect;
use crate::schedule::reschedule::{Verdict, judge, shall_come_back};
use crate::state::JobVersion;

impl<'a> AtWork<'a, '_> {
    /// Wants failed instances anew, and those of a service that ended, now or later, as their group's policy says.
    pub(super) fn place_failed_anew(&mut self, ended: impl Iterator<Item = &'a Arc<Allocation>>) {
        let kind = self.version.job.kind;
        for failed in ended.filter(|known| shall_come_back(known, kind)) {
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
            match self.replaced_from(allocation).filter(|_| is_lost) {
                Some(at) if at <= self.now => {}
                Some(at) => {
                    self.counts.ignore += 1;
                    self.wishes.follow_up(self.state, allocation, at);
                    continue;
                }
                None if is_lost => {
                    self.counts.ignore += 1;
                    continue;
                }
                None => {}
            }
            let version = self.rollout.comes_back_as(self.group, self.pace, allocation.job_version);
            let to = rebalance::promised(self.state, allocation);
            // What did badly where it was promised is not tried again: the rebalance gives the move up.
            if to.is_some() && allocation.ties().next.is_some_and(|next| self.state.allocation(next).is_some()) {
                self.counts.ignore += 1;
                continue;
            }
            let Some(reschedules) = self.next_try(allocation, version) else { continue };
            let (mut also_ends, mut previous) = (Vec::new(), allocation.id);
            if is_lost {
                self.counts.place += 1;
            } else {
                self.counts.migrate += 1;
            }
            if self.is_given_up(allocation) {
                // It may have stood in for one that moves and does its work all the while: that one is still to be replaced.
                let mut originals = self.originals_of(allocation);
                if let Some(at) = originals.iter().position(|known| self.moves_within_reach(known)) {
                    previous = originals[at].id;
                    originals.truncate(at);
                }
                let lost = std::iter::once(*allocation).chain(originals);
                also_ends = lost.map(|lost| Stop { allocation: lost.id, reason: StopReason::NodeDown }).collect();
            } else {
                self.give_up_later(allocation);
            }
            self.wants.push(Want {
                index: Some(allocation.index),
                previous: Some(previous),
                also_ends,
                canary: allocation.canary,
                reschedules,
                to,
                ..Want::fresh(&self.group.name, version)
            });
        }
    }

    /// The history of the next replacement of `original`, if it may be placed now. After one that failed its group's
    /// policy decides, as after any failure. A move goes on even where that allows no more, since who drains a node wants
    /// it empty, and the original runs all the while: it is tried again with the growing pauses of a service's default.
    fn next_try(&mut self, original: &Allocation, version: &JobVersion) -> Option<Vec<RescheduleEvent>> {
        let last = original.ties().next.and_then(|next| self.state.allocation(next));
        let failed = last.filter(|last| {
            let ended = matches!(last.client_status, ClientStatus::Failed | ClientStatus::Complete);
            ended && last.desired == Desired::Run
        });
        let Some(failed) = failed else { return Some(original.ties().reschedules.clone()) };
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
        allocation.client_status == ClientStatus::Unknown && reconnect::silent_since(self.state, allocation).is_some()
    }

    /// Whether it is to move and does its work until something else does.
    pub(super) fn moves_within_reach(&self, allocation: &Allocation) -> bool {
        allocation.migrate && !self.is_out_of_contact(allocation)
    }

    /// From when on an instance out of contact is replaced; none for not before its node is back, or somebody stops it.
    fn replaced_from(&self, allocation: &Allocation) -> Option<Timestamp> {
        let since = reconnect::silent_since(self.state, allocation)?;
        let Some(disconnect) = self.group.disconnect_rules() else { return Some(since) };
        match self.stopped_by_agent_at(allocation, since) {
            _ if !disconnect.replace => reconnect::lost_at(self.group, since),
            // Two at a time are what such a group can't have.
            Some(at) => Some(at),
            None => Some(since),
        }
    }

    /// When the agent of an instance out of contact has stopped it by itself, if its group asks for that.
    fn stopped_by_agent_at(&self, allocation: &Allocation, since: Timestamp) -> Option<Timestamp> {
        let after = self.group.disconnect_rules()?.stop_on_client_after?;
        let takes = reconnect::group_of(self.state, allocation).map(Group::time_to_stop);
        Some(since + after + takes.unwrap_or_default())
    }

    /// When an instance out of contact will not be taken back any more.
    fn given_up_at(&self, allocation: &Allocation) -> Option<Timestamp> {
        let since = reconnect::silent_since(self.state, allocation)?;
        reconnect::lost_at(self.group, since).or_else(|| self.stopped_by_agent_at(allocation, since))
    }

    pub(super) fn is_given_up(&self, allocation: &Allocation) -> bool {
        self.is_out_of_contact(allocation) && self.given_up_at(allocation).is_some_and(|at| at <= self.now)
    }

    /// Looks at an instance out of contact again when it will not be taken back any more.
    pub(super) fn give_up_later(&mut self, allocation: &Allocation) {
        let at = self.given_up_at(allocation).filter(|_| self.is_out_of_contact(allocation));
        if let Some(at) = at {
            self.wishes.follow_up(self.state, allocation, at);
        }
    }
}
