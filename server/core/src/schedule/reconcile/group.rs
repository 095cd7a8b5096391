//! One group of a service or batch job: which of its instances stay, end, change or are missing.
//!
//! Instances stand in slots, one per name index. A slot's instance counts until another has taken its place; one that
//! moves, or whose node is out of contact, counts together with its replacement.

mod replace;
mod slots;
mod update;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::{Allocation, ClientStatus, Group, StopReason, Timestamp};

use super::rollout::Rollout;
use super::{Counts, Want, Wishes};
use crate::plan::Stop;
use crate::state::{JobVersion, State};

type Slots<'a> = BTreeMap<u32, &'a Arc<Allocation>>;

/// Says what should change for `group`.
pub(super) fn reconcile(
    state: &State,
    version: &Arc<JobVersion>,
    group: &Group,
    rollout: &Rollout<'_>,
    now: Timestamp,
    wishes: &mut Wishes,
) {
    let all = state.allocations_of_job(&version.job.key()).filter(|known| known.group == group.name).collect();
    let counts = Counts::default();
    let mut work = AtWork { state, version, group, rollout, now, all, wishes, counts, wants: Vec::new() };
    let mut slots = work.slots();
    let ended = work.ended(&slots);
    work.scale_down(&mut slots, ended.len() as u32);
    work.move_and_replace(&slots);
    let missing = work.missing(&slots, &ended);
    work.update(&slots, &missing, &ended);
    work.fill_up(missing, &ended);
    let AtWork { counts, mut wants, wishes, .. } = work;
    // What replaces something comes first: it gives back what it takes.
    wants.sort_by_key(|want| Reverse(want.previous.is_some()));
    wishes.wants.extend(wants);
    wishes.counts.insert(group.name.clone(), counts);
}

struct AtWork<'a, 'w> {
    state: &'a State,
    version: &'a Arc<JobVersion>,
    group: &'a Group,
    rollout: &'a Rollout<'a>,
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

    /// Ends what is beyond the count: first what does worst, then the highest indexes.
    fn scale_down(&mut self, slots: &mut Slots<'a>, ended: u32) {
        let excess = (slots.len() as u32 + ended).saturating_sub(self.group.count);
        let mut order: Vec<_> = slots.values().copied().collect();
        order.sort_by_key(|known| {
            let stays = known.client_status != ClientStatus::Unknown && !known.migrate;
            let runs = known.client_status == ClientStatus::Running && known.healthy != Some(false);
            (stays, runs, Reverse(known.index))
        });
        for allocation in order.into_iter().take(excess as usize) {
            self.stop(allocation, StopReason::NotNeeded);
            slots.remove(&allocation.index);
            for original in self.originals_of(allocation) {
                self.stop(original, StopReason::NotNeeded);
            }
        }
    }

    /// The indexes that are free and shall have an instance.
    fn missing(&self, slots: &Slots<'_>, ended: &BTreeSet<u32>) -> BTreeSet<u32> {
        let missing = (self.group.count as usize).saturating_sub(slots.len() + ended.len());
        let free = (0..).filter(|index| !slots.contains_key(index) && !ended.contains(index));
        free.take(missing).collect()
    }

    /// Wants what is missing up to the count.
    fn fill_up(&mut self, missing: BTreeSet<u32>, ended: &BTreeSet<u32>) {
        for index in missing {
            self.counts.place += 1;
            // The lowest index that no live instance has is found when the plan is applied. One that is over and counts
            // keeps its index, so it must be said here which are free.
            let index = (!ended.is_empty()).then_some(index);
            self.wants.push(Want { index, ..Want::fresh(&self.group.name, self.version) });
        }
    }
}
