//! One group of a service or batch job: which of its instances stay, end, change or are missing.
//!
//! Instances stand in slots, one per name index. A slot's instance counts until another has taken its place; one that
//! moves, or whose node is out of contact, counts together with its replacement.

mod canaries;
mod replace;
mod slots;
mod update;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::{Allocation, ClientStatus, Group, StopReason, Timestamp};

use super::rollout::{Pace, Rollout};
use super::{Counts, Want, Wishes};
use crate::plan::Stop;
use crate::schedule::reschedule::{ended_on_purpose, shall_come_back};
use crate::state::{JobVersion, State};

type Slots<'a> = BTreeMap<u32, &'a Arc<Allocation>>;

/// Says what should change for `group`.
pub(super) fn reconcile<'a>(
    state: &'a State,
    version: &'a Arc<JobVersion>,
    group: &'a Group,
    of_group: impl Iterator<Item = &'a Arc<Allocation>>,
    rollout: &'a Rollout<'a>,
    now: Timestamp,
    wishes: &mut Wishes,
) {
    let all = of_group.collect();
    let counts = Counts::default();
    let pace = Pace::AtOnce;
    let mut work = AtWork { state, version, group, rollout, pace, now, all, wishes, counts, wants: Vec::new() };
    let (mut slots, canaries) = work.slots();
    work.pace = rollout.pace(group, slots.values().copied());
    let mut ended = work.ended(&slots);
    work.scale_down(&mut slots, &mut ended);
    // What ends because it is too many needs no canary to be tried before it.
    work.pace = rollout.pace(group, slots.values().copied());
    work.place_failed_anew(ended.values().copied());
    work.move_and_replace(&slots);
    work.move_and_replace(&canaries);
    let missing = work.missing(&slots, &ended);
    work.place_canaries(&slots, &canaries, &missing);
    work.update(&slots, &missing, &ended);
    work.fill_up(missing, &ended);
    let AtWork { counts, mut wants, wishes, .. } = work;
    // What replaces something comes first: it gives back what it takes. Equals stand together, and are placed together.
    wants.sort_by_key(|want| (Reverse(want.previous.is_some()), want.version.version));
    if wishes.wants.is_empty() {
        wishes.wants = wants;
    } else {
        wishes.wants.extend(wants);
    }
    wishes.counts.insert(group.name.clone(), counts);
}

struct AtWork<'a, 'w> {
    state: &'a State,
    version: &'a Arc<JobVersion>,
    group: &'a Group,
    rollout: &'a Rollout<'a>,
    /// Known as soon as it is known what stands in the slots, and for good when what is too many is out of them.
    pace: Pace<'a>,
    now: Timestamp,
    /// The group's allocations, whatever became of them.
    all: Vec<&'a Arc<Allocation>>,
    wishes: &'w mut Wishes,
    counts: Counts,
    wants: Vec<Want>,
}

impl<'a> AtWork<'a, '_> {
    fn stop(&mut self, allocation: &Allocation, reason: StopReason) {
        self.counts.stop += 1;
        self.wishes.stops.push(Stop { allocation: allocation.id, reason });
    }

    /// Ends what is beyond the count: first what is over or does worst, then the highest indexes.
    fn scale_down(&mut self, slots: &mut Slots<'a>, ended: &mut Slots<'a>) {
        let mut excess = (slots.len() + ended.len()).saturating_sub(self.group.count as usize);
        let failed = ended.values().rev().filter(|known| shall_come_back(known, self.version.job.kind));
        for index in failed.map(|known| known.index).take(excess).collect::<Vec<_>>() {
            ended.remove(&index);
            excess -= 1;
        }
        let mut order: Vec<_> = slots.values().copied().collect();
        order.sort_by_key(|known| {
            let stays = known.client_status != ClientStatus::Unknown && !known.migrate;
            let runs = known.client_status == ClientStatus::Running && known.healthy != Some(false);
            (stays, runs, Reverse(known.index))
        });
        for allocation in order.into_iter().take(excess) {
            self.stop(allocation, StopReason::NotNeeded);
            slots.remove(&allocation.index);
            for original in self.originals_of(allocation) {
                self.stop(original, StopReason::NotNeeded);
            }
        }
    }

    /// The indexes that are free and shall have an instance.
    fn missing(&self, slots: &Slots<'_>, ended: &Slots<'_>) -> BTreeSet<u32> {
        let missing = (self.group.count as usize).saturating_sub(slots.len() + ended.len());
        let free = (0..).filter(|index| !slots.contains_key(index) && !ended.contains_key(index));
        free.take(missing).collect()
    }

    /// Wants what is missing up to the count.
    fn fill_up(&mut self, missing: BTreeSet<u32>, ended: &Slots<'_>) {
        let last = self.last_of_each();
        for index in missing {
            self.counts.place += 1;
            let version = self.fills_up_as(&last, index);
            // The lowest index that no live instance has is found when the plan is applied. What is over and counts keeps
            // its index, and what comes back as it was takes its own, so there it must be said which is whose; also where
            // each has volumes of its own, or comes back to them.
            let is_bound = self.group.host_volumes().any(|volume| volume.sticky || volume.per_alloc);
            let is_free = ended.is_empty() && self.pace.spreads() && !is_bound;
            match self.wants.last_mut().filter(|last| is_free && last.is_like_fresh(version)) {
                Some(last) => last.count += 1,
                None => {
                    let index = (!is_free).then_some(index);
                    self.wants.push(Want { index, ..Want::fresh(&self.group.name, version) });
                }
            }
        }
    }

    /// The newest of each name index that something was to take the place of.
    fn last_of_each(&self) -> Slots<'a> {
        self.newest(|known| !known.canary && !ended_on_purpose(known))
    }

    /// The version in which what is missing at `index` is placed, where `last` stood there.
    fn fills_up_as(&self, last: &Slots<'a>, index: u32) -> &'a Arc<JobVersion> {
        self.rollout.fills_up_as(self.group, self.pace, last.get(&index).map(|last| last.job_version))
    }
}
