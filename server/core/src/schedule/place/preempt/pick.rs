//! Which allocations of one node make way: enough, and no more than that; the lowest priorities first.

use std::collections::{BTreeMap, BTreeSet};

use model::{Allocation, AllocationId, JobKey, Resources};

use crate::limits::PREEMPTION_WEIGHED_MAX;

/// An allocation that may have to make way.
#[derive(Clone, Copy)]
pub(super) struct Victim<'a> {
    pub allocation: &'a Allocation,
    /// What is free when it is gone, and what it waits for itself.
    pub room: Resources,
    /// Of its job.
    pub priority: u32,
    /// Instances of its group that may be away at once.
    pub max_parallel: u32,
}

impl<'a> Victim<'a> {
    /// Its group.
    pub fn group(&self) -> (&'a JobKey, &'a str) {
        (&self.allocation.job, &self.allocation.group)
    }
}

/// What it costs to end some allocations of one node; less is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cost {
    /// The highest priority among them.
    pub priority: u32,
    /// How many more instances of their groups are away than may be at once.
    pub beyond_limits: u32,
    /// All their priorities together: few are ended rather than many.
    pub priorities: u32,
}

/// Instances that make way already, by group.
pub(super) type MakingWay<'a> = BTreeMap<(&'a JobKey, &'a str), u32>;

/// What must come free.
pub(super) struct Need<'n> {
    /// Amounts that are short.
    pub short: Resources,
    /// Who holds the static ports.
    pub holders: &'n BTreeSet<AllocationId>,
    /// Whether there are cores and devices when those are gone.
    pub frees_the_rest: &'n dyn Fn(&[Victim<'_>]) -> bool,
}

impl Need<'_> {
    fn is_met_without(&self, victims: &[Victim<'_>]) -> bool {
        self.short.is_within(sum(victims)) && (self.frees_the_rest)(victims)
    }
}

/// The cheapest of `victims` that together free what is needed; none if all are not enough.
pub(super) fn cheapest(
    victims: &[Victim<'_>],
    need: &Need<'_>,
    making_way: &MakingWay<'_>,
) -> Option<(Cost, Vec<AllocationId>)> {
    let (held, mut others): (Vec<_>, Vec<_>) =
        victims.iter().copied().partition(|victim| need.holders.contains(&victim.allocation.id));
    if held.len() < need.holders.len() || !need.is_met_without(victims) {
        return None;
    }
    // Cores and devices that are free already stay so, whoever ends.
    let is_free = (need.frees_the_rest)(&held);
    let frees_the_rest = |victims: &[Victim<'_>]| is_free || (need.frees_the_rest)(victims);
    let need = &Need { frees_the_rest: &frees_the_rest, ..*need };
    others.sort_by_key(|victim| (victim.priority, victim.allocation.id));
    // With those of the lowest priorities that are enough; the others need not be weighed.
    let mut chosen = held.clone();
    let mut enough = 0;
    while !need.is_met_without(&chosen) {
        chosen.push(*others.get(enough)?);
        enough += 1;
    }
    let highest = enough.checked_sub(1).map(|last| others[last].priority);
    others.retain(|victim| highest.is_some_and(|highest| victim.priority <= highest));
    let chosen = if others.len() <= PREEMPTION_WEIGHED_MAX {
        weigh_all(&held, &others, need, making_way)?
    } else {
        pick_few(&held, others, need)
    };
    let ids = chosen.iter().map(|victim| victim.allocation.id).collect();
    Some((cost(&chosen, making_way), ids))
}

fn sum(victims: &[Victim<'_>]) -> Resources {
    victims.iter().fold(Resources::default(), |sum, victim| sum + victim.room)
}

fn cost(victims: &[Victim<'_>], making_way: &MakingWay<'_>) -> Cost {
    let mut away: BTreeMap<_, (u32, u32)> = BTreeMap::new();
    for victim in victims {
        let known = making_way.get(&victim.group()).copied().unwrap_or_default();
        away.entry(victim.group()).or_insert((known, victim.max_parallel)).0 += 1;
    }
    Cost {
        priority: victims.iter().map(|victim| victim.priority).max().unwrap_or_default(),
        beyond_limits: away.values().map(|(away, most)| away.saturating_sub(*most)).sum(),
        priorities: victims.iter().map(|victim| victim.priority.max(1)).sum(),
    }
}

/// The cheapest of all combinations of `others`, beside those that are `held` to it.
fn weigh_all<'a>(
    held: &[Victim<'a>],
    others: &[Victim<'a>],
    need: &Need<'_>,
    making_way: &MakingWay<'_>,
) -> Option<Vec<Victim<'a>>> {
    let combination = |mask: u32| {
        let picked = others.iter().enumerate().filter(|(at, _)| mask & (1 << at) != 0).map(|(_, victim)| *victim);
        held.iter().copied().chain(picked).collect::<Vec<_>>()
    };
    let mut combinations: Vec<_> = (0..1u32 << others.len())
        .map(|mask| (mask, combination(mask)))
        .filter(|(_, victims)| need.short.is_within(sum(victims)))
        .map(|(mask, victims)| (cost(&victims, making_way), mask))
        .collect();
    // Asking for cores and devices costs most, so it is done last.
    combinations.sort_unstable();
    combinations.into_iter().map(|(_, mask)| combination(mask)).find(|victims| need.is_met_without(victims))
}

/// A good combination of many: the lowest priorities and of these the best fit first, less what turns out not to be
/// needed, the highest priority first.
fn pick_few<'a>(held: &[Victim<'a>], mut others: Vec<Victim<'a>>, need: &Need<'_>) -> Vec<Victim<'a>> {
    let mut chosen = held.to_vec();
    while !need.is_met_without(&chosen) {
        let missing = need.short - sum(&chosen);
        let best = (0..others.len()).min_by_key(|at| {
            let victim = &others[*at];
            (victim.priority, distance(missing, victim.room), victim.allocation.id)
        });
        let Some(best) = best else { break };
        chosen.push(others.remove(best));
    }
    let mut at = chosen.len();
    while at > held.len() {
        at -= 1;
        let victim = chosen.remove(at);
        if !need.is_met_without(&chosen) {
            chosen.insert(at, victim);
        }
    }
    chosen
}

/// How far `freed` is from what is `missing`, in thousandths of that.
fn distance(missing: Resources, freed: Resources) -> u64 {
    let apart = |missing: u64, freed: u64| (missing.abs_diff(freed) * 1000).checked_div(missing).unwrap_or(0);
    apart(missing.cpu_mhz, freed.cpu_mhz)
        + apart(missing.memory_mb, freed.memory_mb)
        + apart(missing.memory_max_mb, freed.memory_max_mb)
        + apart(missing.disk_mb, freed.disk_mb)
}

#[cfg(test)]
mod tests {
    use model::{Cohort, NodeId};

    use super::*;

    /// How many end where 100 MiB are wanted, and of `victims` equals one has 95 and one 120, and the others 4.
    fn ended(victims: usize) -> usize {
        let allocation = |at: usize| {
            let id = AllocationId::derive(&[&at.to_le_bytes()]);
            Allocation::placed(id, Cohort::default().into(), NodeId::derive(&[b"n1"]), "n1".into())
        };
        let allocations: Vec<_> = (0..victims).map(allocation).collect();
        let memory = |memory_mb| Resources { memory_mb, ..Resources::default() };
        let victim = |(at, allocation)| {
            let room = memory([95, 120].get(at).copied().unwrap_or(4));
            Victim { allocation, room, priority: 10, max_parallel: 1 }
        };
        let victims: Vec<_> = allocations.iter().enumerate().map(victim).collect();
        let need = Need { short: memory(100), holders: &BTreeSet::new(), frees_the_rest: &|_| true };
        cheapest(&victims, &need, &MakingWay::new()).expect("all together are enough").1.len()
    }

    #[test]
    fn every_combination_is_weighed_of_as_many_as_the_limit() {
        assert_eq!(ended(PREEMPTION_WEIGHED_MAX), 1);
        assert_eq!(ended(PREEMPTION_WEIGHED_MAX + 1), 3, "of more, the one that fits best is taken first");
    }
}
