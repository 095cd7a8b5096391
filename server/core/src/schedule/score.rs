//! How good a node is for an instance: a sum of parts, each in millionths, larger is better.
//!
//! | part | range | meaning |
//! |---|---|---|
//! | packing | 0 … 1 | 1 where CPU and memory are both used up; for the spread algorithm where both are free |
//! | anti-affinity | −1 … 0 | −(instances of the group there + 1) / count, if there is one; not for batch jobs |
//! | penalty | −1 or 0 | the instance failed there before |
//! | affinity | −1 … 1 | weight of the preferences that hold over the weight of all |
//! | devices | −1 … 1 | the same among the devices that it would get |
//! | spread | −1 … 1 each, weighted | how much the node's value lacks of its share |
//!
//! Packing is Nomad's: 20 − (10^free CPU + 10^free memory), over 18, on integers, so that every machine agrees. Unlike
//! there, parts are added, not averaged: a part that says nothing does not change what the others mean.

use std::collections::BTreeMap;

use model::{Affinity, Group, Job, Node, Resources, Spread};

use super::constraint::{holds, resolve};
use crate::command::Algorithm;

/// One, in the unit of scores.
const ONE: i64 = 1_000_000;
/// Steps of a free share.
const STEPS: usize = 1024;
/// 10^(n / 1024) in millionths, for n from 0 to 1024.
static POWERS: [i64; STEPS + 1] = powers();

const fn powers() -> [i64; STEPS + 1] {
    // 10^(1/1024), in units of 10^-15.
    const RATIO: u128 = 1_002_251_148_292_913;
    const UNIT: u128 = 1_000_000_000_000_000;
    let mut powers = [0; STEPS + 1];
    let mut power = UNIT;
    let mut step = 0;
    while step <= STEPS {
        powers[step] = (power / 1_000_000_000) as i64;
        power = power * RATIO / UNIT;
        step += 1;
    }
    powers
}

/// A node's score, with its parts kept for explanations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(super) struct Score {
    pub packing: i64,
    pub anti_affinity: i64,
    pub penalty: i64,
    pub affinity: i64,
    pub spread: i64,
    pub devices: i64,
}

impl Score {
    /// The sum of the parts.
    pub fn total(self) -> i64 {
        self.packing + self.anti_affinity + self.penalty + self.affinity + self.spread + self.devices
    }
}

/// How full the node is with `used` of `capacity`.
pub(super) fn packing(algorithm: Algorithm, used: Resources, capacity: Resources) -> i64 {
    let power = |used: u64, capacity: u64| {
        let free = capacity.saturating_sub(used);
        // A node without any of it has nothing free.
        let step = (free * STEPS as u64).checked_div(capacity).unwrap_or(0);
        POWERS[(step as usize).min(STEPS)]
    };
    let sum = power(used.cpu_mhz, capacity.cpu_mhz) + power(used.memory_mb, capacity.memory_mb);
    let score = match algorithm {
        Algorithm::Binpack => 20 * ONE - sum,
        Algorithm::Spread => sum - 2 * ONE,
    };
    score.clamp(0, 18 * ONE) / 18
}

/// What other instances of the group on the node count against it.
pub(super) fn anti_affinity(siblings: u32, count: u32) -> i64 {
    if siblings == 0 { 0 } else { -ONE * i64::from(siblings + 1) / i64::from(count.max(1)) }
}

/// What earlier failures on the node count against it.
pub(super) fn penalty(failed_there: bool) -> i64 {
    if failed_there { -ONE } else { 0 }
}

/// The preferences of a job and one of its groups.
pub(super) struct Affinities<'a> {
    all: Vec<&'a Affinity>,
    weight: i64,
}

impl<'a> Affinities<'a> {
    pub fn of(job: &'a Job, group: &'a Group) -> Self {
        let of_tasks = group.tasks.iter().flat_map(|task| &task.affinities);
        let all: Vec<_> = job.affinities.iter().chain(&group.affinities).chain(of_tasks).collect();
        let weight = all.iter().map(|affinity| i64::from(affinity.weight.abs())).sum::<i64>().max(1);
        Self { all, weight }
    }

    pub fn score(&self, node: &Node) -> i64 {
        let held = self.all.iter().filter(|affinity| holds(&affinity.condition(), node));
        held.map(|affinity| i64::from(affinity.weight)).sum::<i64>() * ONE / self.weight
    }
}

/// The spreads of a job and one of its groups, with how many instances each value has.
pub(super) struct Spreads<'a> {
    all: Vec<Counted<'a>>,
    weight: i64,
    count: i64,
}

struct Counted<'a> {
    spread: &'a Spread,
    used: BTreeMap<String, i64>,
}

impl<'a> Spreads<'a> {
    /// The spreads of `group`; every value of `nodes`, which could take an instance, begins at zero.
    pub fn of<'n>(job: &'a Job, group: &'a Group, nodes: impl Iterator<Item = &'n Node> + Clone) -> Self {
        let counted = |spread: &'a Spread| Counted {
            spread,
            used: nodes.clone().filter_map(|node| resolve(&spread.attribute, node)).map(|value| (value, 0)).collect(),
        };
        let all: Vec<_> = job.spreads.iter().chain(&group.spreads).map(counted).collect();
        let weight = all.iter().map(|counted| i64::from(counted.spread.weight)).sum::<i64>().max(1);
        Self { all, weight, count: i64::from(group.count.max(1)) }
    }

    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Counts an instance on `node`, or with `-1` takes one away.
    pub fn add(&mut self, node: &Node, number: i64) {
        for counted in &mut self.all {
            if let Some(value) = resolve(&counted.spread.attribute, node) {
                *counted.used.entry(value).or_default() += number;
            }
        }
    }

    pub fn score(&self, node: &Node) -> i64 {
        let part = |counted: &Counted<'_>| {
            let boost = match resolve(&counted.spread.attribute, node) {
                Some(value) if counted.spread.targets.is_empty() => counted.even(&value),
                Some(value) => counted.to_targets(&value, self.count),
                None => -ONE,
            };
            boost * i64::from(counted.spread.weight) / self.weight
        };
        self.all.iter().map(part).sum()
    }
}

impl Counted<'_> {
    /// How much the value lacks, where all values shall be even.
    fn even(&self, value: &str) -> i64 {
        let current = self.used.get(value).copied().unwrap_or_default();
        let least = self.used.values().copied().min().unwrap_or_default();
        let most = self.used.values().copied().max().unwrap_or_default();
        match (least, current) {
            (0, 0) => ONE,
            (0, _) => -ONE * current.min(10),
            (least, _) if least == most => -ONE,
            (least, current) if current == least => ONE * (most - least) / least,
            (least, current) => ONE * (least - current) / least,
        }
    }

    /// How much the value lacks of its target; values without one share what the targets leave.
    fn to_targets(&self, value: &str, count: i64) -> i64 {
        let used = self.used.get(value).copied().unwrap_or_default() + 1;
        let targets = &self.spread.targets;
        let percent = match targets.iter().find(|target| target.value == value) {
            Some(target) => i64::from(target.percent),
            None => 100 - targets.iter().map(|target| i64::from(target.percent)).sum::<i64>(),
        };
        // In hundredths of an instance, so that shares of small counts are not cut to nothing.
        let wanted = percent * count;
        if wanted <= 0 { -ONE } else { (ONE * (wanted - used * 100) / wanted).max(-ONE) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NODE: Resources = Resources { cpu_mhz: 1000, memory_mb: 1000, memory_max_mb: 1500, disk_mb: 0 };

    fn used(cpu_mhz: u64, memory_mb: u64) -> Resources {
        Resources { cpu_mhz, memory_mb, ..Resources::default() }
    }

    #[test]
    fn powers_of_ten_are_exact_to_a_millionth_at_both_ends() {
        assert_eq!(POWERS[0], ONE);
        assert!((POWERS[STEPS] - 10 * ONE).abs() <= 1, "{}", POWERS[STEPS]);
    }

    #[test]
    fn a_full_node_packs_best_and_an_empty_one_worst_and_the_spread_algorithm_turns_it_round() {
        assert_eq!(packing(Algorithm::Binpack, used(1000, 1000), NODE), ONE);
        assert_eq!(packing(Algorithm::Binpack, used(0, 0), NODE), 0);
        assert_eq!(packing(Algorithm::Spread, used(1000, 1000), NODE), 0);
        assert!(packing(Algorithm::Binpack, used(500, 500), NODE) > packing(Algorithm::Binpack, used(400, 500), NODE));
    }
}
