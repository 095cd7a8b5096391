//! Instances of older versions, brought to the current one at the pace of the rollout.

use std::collections::BTreeSet;
use std::sync::Arc;

use model::old_bugs::{OldBug, is_on};
use model::{Allocation, Desired, StopReason, Update};

use super::super::Want;
use super::super::rollout::Pace;
use super::{AtWork, Slots};
use crate::plan::Stop;
use crate::schedule::{Change, Feasibility};

impl<'a> AtWork<'a, '_> {
    /// Brings instances of older versions to the current one: in place, or step by step by new ones.
    pub(super) fn update(&mut self, slots: &Slots<'a>, missing: &BTreeSet<u32>, ended: &Slots<'_>) {
        let mut destructive = Vec::new();
        for allocation in slots.values().copied() {
            if allocation.migrate || self.is_out_of_contact(allocation) {
                continue;
            }
            if allocation.job_version == self.version.version {
                self.counts.ignore += 1;
                continue;
            }
            match self.change_of(allocation) {
                Change::None | Change::InPlace => {
                    self.counts.in_place += 1;
                    self.wishes.updates_in_place.push(allocation.id);
                }
                Change::Destructive => destructive.push(allocation),
            }
        }
        let is_free = |index| missing.contains(&index) || ended.contains_key(&index);
        let may = match self.pace {
            Pace::AtOnce => destructive.len(),
            Pace::Canaries(_) | Pace::Halted => 0,
            Pace::Rolling(update) => self.may_replace(update, slots, is_free),
        };
        // What does not run well is replaced first: that costs nothing.
        destructive.sort_by_key(|known| (known.healthy == Some(true), known.index));
        let held_back = destructive.split_off(may.min(destructive.len()));
        let updated = |known: &Arc<Allocation>| Stop { allocation: known.id, reason: StopReason::Updated };
        for allocation in destructive {
            self.counts.destructive += 1;
            self.wants.push(Want {
                index: Some(allocation.index),
                previous: Some(allocation.id),
                succeeds: Some(updated(allocation)),
                also_ends: self.originals_of(allocation).into_iter().map(updated).collect(),
                ..Want::fresh(&self.group.name, self.version)
            });
        }
        if !held_back.is_empty() {
            self.counts.ignore += held_back.len() as u32;
            self.wishes.held_back.insert(self.group.name.clone(), held_back.len() as u32);
        }
    }

    fn change_of(&self, allocation: &Allocation) -> Change {
        let Some(old) = self.state.job_version(&allocation.job, allocation.job_version) else {
            return Change::Destructive;
        };
        // In place only where the node still meets every condition.
        let own = self.group.of_instance(allocation.index);
        let feasibility = Feasibility::alone(self.version, &own);
        match self.state.node(allocation.node) {
            Some(node) if feasibility.conditions(node).is_empty() => self.rollout.change(self.group, old),
            Some(_) | None => Change::Destructive,
        }
    }

    /// How many more instances may be replaced now: `max_parallel`, less the wanted indexes at which something is under
    /// way: a new instance until it is healthy, or one of any version that failed, ended, or is wanted anew because it is
    /// out of contact, until another does well there. Otherwise a version that crashes would go through all that is
    /// healthy, and so would a row of such versions.
    fn may_replace(&self, update: &Update, slots: &Slots<'_>, is_free: impl Fn(u32) -> bool) -> usize {
        let ending: BTreeSet<_> = self.wishes.stops.iter().map(|stop| stop.allocation).collect();
        let newest = self.newest(|known| known.desired == Desired::Run && !known.canary && !ending.contains(&known.id));
        let is_wanted_anew = |known: &Allocation| self.wants.iter().any(|want| want.previous == Some(known.id));
        let is_under_way = |known: &&Arc<Allocation>| match slots.get(&known.index) {
            Some(stays) if self.is_out_of_contact(stays) && is_wanted_anew(stays) => true,
            // What stays in its slot speaks for it, whatever became of others that were to take its place.
            Some(stays) if !stays.migrate && !self.is_out_of_contact(stays) => self.starts_or_does_badly(stays),
            None if !is_free(known.index) => false,
            Some(_) | None => !known.is_live() || self.starts_or_does_badly(known),
        };
        if is_on(OldBug::RolloutsAtOnce) {
            return update.max_parallel as usize;
        }
        (update.max_parallel as usize).saturating_sub(newest.values().filter(|known| is_under_way(known)).count())
    }

    fn starts_or_does_badly(&self, allocation: &Allocation) -> bool {
        self.rollout.is_new(self.group, allocation) && !allocation.is_well()
    }
}
