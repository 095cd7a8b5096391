//! Canaries: instances of a new version that stand beside the old ones until someone promotes them.

use std::collections::BTreeSet;

use super::super::Want;
use super::super::rollout::Pace;
use super::{AtWork, Slots};
use crate::schedule::reschedule::shall_come_back;

impl<'a> AtWork<'a, '_> {
    /// Wants the canaries that are missing. One that failed is placed anew as its group's policy says, and counts
    /// meanwhile: more of a version that crashes would prove nothing.
    pub(super) fn place_canaries(&mut self, slots: &Slots<'a>, canaries: &Slots<'a>, missing: &BTreeSet<u32>) {
        let Pace::Canaries(update) = self.pace else { return };
        let old = self.old_indexes(slots, missing);
        let mut failed = self.newest(|known| known.canary && self.rollout.has(known));
        failed.retain(|index, known| shall_come_back(known, self.version.job.kind) && !canaries.contains_key(index));
        self.place_failed_anew(failed.values().copied());

        let wanted = self.rollout.canaries(self.group).map_or(old.len().min(update.canary as usize), |n| n as usize);
        let missing = wanted.saturating_sub(canaries.len() + failed.len());
        let is_free = |index: &u32| !canaries.contains_key(index) && !failed.contains_key(index);
        let others = (0..).filter(|index| !old.contains(index));
        for index in old.iter().copied().chain(others).filter(is_free).take(missing) {
            self.counts.canary += 1;
            self.wants.push(Want { index: Some(index), canary: true, ..Want::fresh(&self.group.name, self.version) });
        }
    }

    /// Indexes of instances of older versions, those included that come back as such at the same time: which canaries there
    /// are must not depend on when it is looked.
    fn old_indexes(&self, slots: &Slots<'a>, missing: &BTreeSet<u32>) -> BTreeSet<u32> {
        let live = slots.values().filter(|known| !self.rollout.is_new(self.group, known)).map(|known| known.index);
        let is_old = |want: &&Want| !want.canary && want.version.version != self.version.version;
        let come_back = self.wants.iter().filter(is_old).filter_map(|want| want.index);
        let last = self.last_of_each();
        let fills_up =
            missing.iter().filter(|index| self.fills_up_as(&last, **index).version != self.version.version).copied();
        live.chain(come_back).chain(fills_up).collect()
    }
}
