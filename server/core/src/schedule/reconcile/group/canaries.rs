//! Canaries: instances of a new version that stand beside the old ones until someone promotes them.

use super::super::Want;
use super::super::rollout::Pace;
use super::{AtWork, Slots};
use crate::schedule::reschedule::shall_come_back;

impl<'a> AtWork<'a, '_> {
    /// Wants the canaries that are missing. One that failed is placed anew as its group's policy says, and counts
    /// meanwhile: more of a version that crashes would prove nothing.
    pub(super) fn place_canaries(&mut self, slots: &Slots<'a>, canaries: &Slots<'a>) {
        let Pace::Canaries(update) = self.pace else { return };
        let mut failed = self.newest(|known| known.canary && self.rollout.has(known));
        failed.retain(|index, known| shall_come_back(known, self.version.job.kind) && !canaries.contains_key(index));
        self.place_failed_anew(failed.values().copied());

        let old: Vec<_> = slots.values().filter(|known| !self.rollout.is_new(self.group, known)).collect();
        let wanted = self.rollout.canaries(self.group).map_or(old.len().min(update.canary as usize), |n| n as usize);
        let missing = wanted.saturating_sub(canaries.len() + failed.len());
        let is_free = |index: &u32| !canaries.contains_key(index) && !failed.contains_key(index);
        let beside = old.iter().map(|known| known.index).filter(is_free);
        let others = (0..).filter(is_free).filter(|index| old.iter().all(|known| known.index != *index));
        for index in beside.chain(others).take(missing) {
            self.counts.canary += 1;
            self.wants.push(Want { index: Some(index), canary: true, ..Want::fresh(&self.group.name, self.version) });
        }
    }
}
