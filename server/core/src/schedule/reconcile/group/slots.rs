//! Which instance stands for each name index: a live one, or one that is over and counts all the same.

use std::cmp::Reverse;
use std::sync::Arc;

use model::old_bugs::{OldBug, is_on};
use model::{Allocation, ClientStatus, Desired, JobType, StopReason};

use super::{AtWork, Slots};
use crate::reconnect;

impl<'a> AtWork<'a, '_> {
    /// The instance of each name index that counts, and the canaries, which stand beside them.
    pub(super) fn slots(&mut self) -> (Slots<'a>, Slots<'a>) {
        let live = self.all.iter().copied().filter(|known| known.is_live());
        let (canaries, live): (Vec<_>, Vec<_>) = live.partition(|known| known.canary);
        let (canaries, strays): (Vec<_>, Vec<_>) = canaries.into_iter().partition(|known| self.rollout.has(known));
        for stray in strays {
            self.stop(stray, StopReason::NotNeeded);
        }
        (self.one_of_each(live), self.one_of_each(canaries))
    }

    /// One instance of each name index. Doubles end; so does what was replaced for good.
    fn one_of_each(&mut self, live: Vec<&'a Arc<Allocation>>) -> Slots<'a> {
        let mut slots = Slots::new();
        for allocation in live {
            if self.was_done_elsewhere(allocation) {
                self.stop(allocation, StopReason::NodeDown);
                for original in self.originals_of(allocation) {
                    self.stop(original, StopReason::NodeDown);
                }
                continue;
            }
            // One that is well where it is needs no replacement: if it has one all the same, the better of both stays. Of
            // one whose node is back, that is known as soon as its agent has spoken of it.
            let overlaps = allocation.migrate || allocation.client_status == ClientStatus::Unknown;
            let replacement = self.live_replacement(allocation).filter(|_| overlaps);
            match (replacement, slots.get(&allocation.index).copied()) {
                // The replacement stands in the slot; the original ends when it is healthy, if it is to move.
                (Some(_), _) => {
                    let is_replaced_well = self.is_replaced_well(allocation) || is_on(OldBug::MovedTooEarly);
                    let is_moved = allocation.migrate && is_replaced_well;
                    // What it stood in for, and does its work, is tied to its own replacement by it, and ends as moved.
                    let (at_work, gone): (Vec<_>, Vec<_>) =
                        self.originals_of(allocation).into_iter().partition(|known| self.moves_within_reach(known));
                    let is_given_up = self.is_given_up(allocation);
                    if is_moved {
                        let all = std::iter::once(allocation).chain(at_work).chain(gone);
                        all.for_each(|known| self.stop(known, StopReason::Migrated));
                    } else if is_given_up && (is_replaced_well || at_work.is_empty()) {
                        let all = std::iter::once(allocation).chain(gone);
                        all.for_each(|known| self.stop(known, StopReason::NodeDown));
                    } else if !is_given_up {
                        self.give_up_later(allocation);
                    }
                }
                (None, None) => drop(slots.insert(allocation.index, allocation)),
                (None, Some(other)) => {
                    let [better, worse] = ranked(other, allocation);
                    let is_older = worse.job_version < better.job_version;
                    let reason = if is_older { StopReason::Updated } else { StopReason::NotNeeded };
                    self.stop(worse, reason);
                    for original in self.originals_of(worse).into_iter().filter(|original| original.id != better.id) {
                        self.stop(original, reason);
                    }
                    slots.insert(allocation.index, better);
                }
            }
        }
        slots
    }

    /// Whether it is batch work out of contact that its replacement has finished. Of a job that was a service then, a
    /// replacement that ended has finished nothing.
    fn was_done_elsewhere(&self, allocation: &Allocation) -> bool {
        let Some(next) = allocation.ties().next.and_then(|next| self.state.allocation(next)) else { return false };
        let version = self.state.job_version(&next.job, next.job_version);
        let was_batch = version.is_some_and(|version| version.job.kind == JobType::Batch);
        let is_done = next.client_status == ClientStatus::Complete && next.desired == Desired::Run;
        is_done && was_batch && self.version.job.kind == JobType::Batch
    }

    /// Whether one that is well stands in for `allocation`: its replacement, or the replacement of one that is itself out of
    /// contact, of which nobody knows whether it still is.
    fn is_replaced_well(&self, allocation: &Allocation) -> bool {
        reconnect::chain(self.state, allocation).any(|stand_in| stand_in.is_well())
    }

    fn live_replacement(&self, allocation: &Allocation) -> Option<&'a Arc<Allocation>> {
        self.state.allocation(allocation.ties().next?).filter(|next| next.is_live())
    }

    /// The instances that `allocation` stands in for, which move or are out of contact: they go with it.
    pub(super) fn originals_of(&self, allocation: &Allocation) -> Vec<&'a Arc<Allocation>> {
        let original_of = |of: &Allocation| {
            let previous = of.ties().previous.and_then(|id| self.state.allocation(id));
            previous.filter(|original| original.is_live() && original.ties().next == Some(of.id))
        };
        std::iter::successors(original_of(allocation), |original| original_of(original)).collect()
    }

    /// The instances that are over and count all the same: finished ones of a batch job, and failed ones or those of a
    /// service that ended, which wait for a new placement, get one now, or have used their attempts up.
    pub(super) fn ended(&self, slots: &Slots<'_>) -> Slots<'a> {
        // The newest of each name index speaks for it, but not one that only stood in for another.
        let stood_in = |known: &Allocation| known.desired == Desired::Stop(StopReason::Reconnected);
        let is_over = |known: &Allocation| known.client_status.is_terminal() && !known.canary && !stood_in(known);
        let mut ended = self.newest(is_over);
        ended.retain(|index, known| {
            let comes_back = self.rollout.comes_back_as(self.group, self.pace, known.job_version);
            let speaks = known.desired == Desired::Run && known.job_version == comes_back.version;
            let counts = match known.client_status {
                ClientStatus::Complete | ClientStatus::Failed => true,
                ClientStatus::Pending | ClientStatus::Running | ClientStatus::Unknown | ClientStatus::Lost => false,
            };
            speaks && counts && !slots.contains_key(index)
        });
        ended
    }

    /// The newest allocation of each name index, of those that count.
    pub(super) fn newest(&self, counts: impl Fn(&Allocation) -> bool) -> Slots<'a> {
        let mut newest = Slots::new();
        for allocation in self.all.iter().copied().filter(|known| counts(known)) {
            let known = newest.entry(allocation.index).or_insert(allocation);
            if (known.create_index, known.id) < (allocation.create_index, allocation.id) {
                *known = allocation;
            }
        }
        newest
    }
}

/// Two instances of one name, the one that stays first: within reach, the newer version, healthy, older.
fn ranked<'a>(one: &'a Arc<Allocation>, other: &'a Arc<Allocation>) -> [&'a Arc<Allocation>; 2] {
    let rank = |known: &Allocation| {
        let reachable = known.client_status != ClientStatus::Unknown;
        (reachable, known.job_version, known.healthy == Some(true), Reverse(known.create_index), known.id)
    };
    if rank(one) >= rank(other) { [one, other] } else { [other, one] }
}
