//! One group of a service or batch job: which of its instances stay, end, change or are missing.
//!
//! Instances stand in slots, one per name index. A slot's instance counts until another has taken its place; one that
//! moves, or whose node is out of contact, counts together with its replacement.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::{Allocation, ClientStatus, Desired, Group, JobType, NodeStatus, StopReason, Timestamp, Update};

use super::super::reschedule::{self, Verdict};
use super::super::{Change, Feasibility, change_between};
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
    let all: Vec<_> = state.allocations_of_job(&version.job.key()).filter(|known| known.group == group.name).collect();
    let mut work = AtWork { state, version, group, rollout, now, wishes, counts: Counts::default(), wants: Vec::new() };
    let mut slots = work.slots(&all);
    let ended = work.ended(&all, &slots);
    work.scale_down(&mut slots, ended.len() as u32);
    work.move_and_replace(&slots);
    work.update(&slots, &all);
    work.fill_up(&slots, &ended);
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
    wishes: &'w mut Wishes,
    counts: Counts,
    wants: Vec<Want>,
}

impl<'a> AtWork<'a, '_> {
    fn stop(&mut self, allocation: &Allocation, reason: StopReason) {
        self.counts.stop += 1;
        self.wishes.stops.push(Stop { allocation: allocation.id, reason });
    }

    /// The instance of each name index that counts. Doubles end; so does what was replaced for good.
    fn slots(&mut self, all: &[&'a Arc<Allocation>]) -> Slots<'a> {
        let live = all.iter().copied().filter(|known| known.is_live());
        let (canaries, live): (Vec<_>, Vec<_>) = live.partition(|known| known.canary);
        for canary in canaries {
            let belongs = self.rollout.active().is_some_and(|active| canary.deployment == Some(active.id));
            if !belongs {
                self.stop(canary, StopReason::NotNeeded);
            }
        }
        let mut slots = Slots::new();
        for allocation in live {
            match (self.live_replacement(allocation), slots.get(&allocation.index).copied()) {
                // The replacement stands in the slot; the original ends when it is healthy, if it is to move.
                (Some(replacement), _) => {
                    if allocation.migrate && replacement.healthy == Some(true) {
                        self.stop(allocation, StopReason::Migrated);
                        for original in self.originals_of(allocation) {
                            self.stop(original, StopReason::Migrated);
                        }
                    }
                }
                (None, None) => drop(slots.insert(allocation.index, allocation)),
                (None, Some(other)) => {
                    let [better, worse] = ranked(other, allocation);
                    let is_older = worse.job_version < better.job_version;
                    self.stop(worse, if is_older { StopReason::Updated } else { StopReason::NotNeeded });
                    slots.insert(allocation.index, better);
                }
            }
        }
        slots
    }

    fn live_replacement(&self, allocation: &Allocation) -> Option<&'a Arc<Allocation>> {
        self.state.allocation(allocation.next?).filter(|next| next.is_live())
    }

    /// Wants what is missing up to the count.
    fn fill_up(&mut self, slots: &Slots<'_>, ended: &BTreeSet<u32>) {
        let missing = (self.group.count as usize).saturating_sub(slots.len() + ended.len());
        // The lowest index that no live instance has is found when the plan is applied. One that is over and counts
        // keeps its index, so it must be said here which are free.
        let free = (0..).filter(|index| !slots.contains_key(index) && !ended.contains(index));
        for index in free.take(missing) {
            self.counts.place += 1;
            let index = (!ended.is_empty()).then_some(index);
            self.wants.push(Want { index, ..Want::fresh(&self.group.name, self.version) });
        }
    }

    /// The indexes of instances that are over and count all the same: finished ones of a batch job, and failed ones,
    /// which wait for a new placement, get one now, or have used their attempts up.
    fn ended(&mut self, all: &[&'a Arc<Allocation>], slots: &Slots<'_>) -> BTreeSet<u32> {
        // The newest of each name index speaks for it.
        let mut newest = Slots::new();
        for allocation in all.iter().copied().filter(|known| known.client_status.is_terminal()) {
            let known = newest.entry(allocation.index).or_insert(allocation);
            if (known.create_index, known.id) < (allocation.create_index, allocation.id) {
                *known = allocation;
            }
        }
        let mut ended = BTreeSet::new();
        for (index, allocation) in newest {
            let speaks = allocation.desired == Desired::Run && allocation.job_version == self.version.version;
            if slots.contains_key(&index) || !speaks {
                continue;
            }
            match allocation.client_status {
                ClientStatus::Complete if self.version.job.kind == JobType::Batch => drop(ended.insert(index)),
                ClientStatus::Failed => {
                    self.failed(allocation);
                    ended.insert(index);
                }
                ClientStatus::Complete
                | ClientStatus::Pending
                | ClientStatus::Running
                | ClientStatus::Unknown
                | ClientStatus::Lost => {}
            }
        }
        ended
    }

    fn failed(&mut self, failed: &Arc<Allocation>) {
        let policy = self.group.reschedule.as_ref();
        match policy.map_or(Verdict::Never, |policy| reschedule::judge(failed, policy, self.now)) {
            Verdict::Now(reschedules) => {
                self.counts.reschedule_now += 1;
                self.wants.push(Want {
                    index: Some(failed.index),
                    previous: Some(failed.id),
                    reschedules,
                    ..Want::fresh(&self.group.name, self.version)
                });
            }
            Verdict::Later(at) => {
                self.counts.reschedule_later += 1;
                self.wishes.follow_up(self.state, failed, at, self.now);
            }
            Verdict::Never => {}
        }
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

    /// The instances that `allocation` stands in for, which move or are out of contact: they go with it.
    fn originals_of(&self, allocation: &Allocation) -> Vec<&'a Arc<Allocation>> {
        let original_of = |of: &Allocation| {
            let previous = of.previous.and_then(|id| self.state.allocation(id));
            previous.filter(|original| original.is_live() && original.next == Some(of.id))
        };
        std::iter::successors(original_of(allocation), |original| original_of(original)).collect()
    }

    /// Wants replacements for instances that move or are out of contact.
    fn move_and_replace(&mut self, slots: &Slots<'a>) {
        for allocation in slots.values() {
            if allocation.migrate {
                self.counts.migrate += 1;
            } else if self.is_out_of_contact(allocation) {
                if let Some(at) = self.waits_until(allocation) {
                    self.wishes.follow_up(self.state, allocation, at, self.now);
                    continue;
                }
                self.counts.place += 1;
            } else {
                continue;
            }
            self.wants.push(Want {
                index: Some(allocation.index),
                previous: Some(allocation.id),
                reschedules: allocation.reschedules.clone(),
                ..Want::fresh(&self.group.name, self.version)
            });
        }
    }

    fn is_out_of_contact(&self, allocation: &Allocation) -> bool {
        let is_down = self.state.node(allocation.node).is_none_or(|node| node.status == NodeStatus::Down);
        allocation.client_status == ClientStatus::Unknown && is_down
    }

    /// Until when an instance out of contact is not replaced, if its group asks for that.
    fn waits_until(&self, allocation: &Allocation) -> Option<Timestamp> {
        let disconnect = self.group.disconnect.as_ref().filter(|disconnect| !disconnect.replace)?;
        let since = self.state.node(allocation.node).map_or(allocation.modified_at, |node| node.status_at);
        Some(since + disconnect.lost_after).filter(|at| *at > self.now)
    }

    /// Brings instances of older versions to the current one: in place, or step by step by new ones.
    fn update(&mut self, slots: &Slots<'a>, all: &[&'a Arc<Allocation>]) {
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
        let may = match self.rollout.strategy(self.group) {
            None => destructive.len(),
            Some(_) if self.rollout.is_halted() => 0,
            Some(update) if self.rollout.waits_for_canaries(self.group, update) => {
                self.place_canaries(update, &destructive, all);
                0
            }
            Some(update) => self.may_replace(update, all),
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
        let feasibility = Feasibility::alone(self.version, self.group);
        match self.state.node(allocation.node) {
            Some(node) if feasibility.conditions(node).is_empty() => {
                change_between(&old.job, &self.version.job, &self.group.name)
            }
            Some(_) | None => Change::Destructive,
        }
    }

    /// How many more instances may be replaced now: `max_parallel`, less what is under way.
    fn may_replace(&self, update: &Update, all: &[&Arc<Allocation>]) -> usize {
        let under_way = all
            .iter()
            .filter(|known| known.is_live() && known.job_version == self.version.version)
            .filter(|known| known.healthy != Some(true))
            .count();
        (update.max_parallel as usize).saturating_sub(under_way)
    }

    fn place_canaries(&mut self, update: &Update, destructive: &[&Arc<Allocation>], all: &[&Arc<Allocation>]) {
        let is_canary =
            |known: &&&Arc<Allocation>| known.is_live() && known.canary && known.job_version == self.version.version;
        let there = all.iter().filter(is_canary).count();
        let missing = (update.canary as usize).min(destructive.len()).saturating_sub(there);
        for beside in destructive.iter().take(missing) {
            self.counts.canary += 1;
            self.wants.push(Want {
                index: Some(beside.index),
                canary: true,
                ..Want::fresh(&self.group.name, self.version)
            });
        }
    }
}

/// Two instances of one name, the one that stays first: the newer version, within reach, healthy, older.
fn ranked<'a>(one: &'a Arc<Allocation>, other: &'a Arc<Allocation>) -> [&'a Arc<Allocation>; 2] {
    let rank = |known: &Allocation| {
        let reachable = known.client_status != ClientStatus::Unknown;
        (known.job_version, reachable, known.healthy == Some(true), Reverse(known.create_index), known.id)
    };
    if rank(one) >= rank(other) { [one, other] } else { [other, one] }
}
