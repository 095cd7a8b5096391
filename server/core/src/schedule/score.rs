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

mod preferences;
mod spreads;

use model::Resources;

use super::fleet::Left;
use crate::command::Algorithm;

pub(super) use preferences::Affinities;
pub(super) use spreads::Spreads;

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
    // A node without any of it has nothing free.
    let free =
        |used: u64, capacity: u64| (capacity.saturating_sub(used) * STEPS as u64).checked_div(capacity).unwrap_or(0);
    of_free(algorithm, [free(used.cpu_mhz, capacity.cpu_mhz), free(used.memory_mb, capacity.memory_mb)])
}

/// What the packing is at most on nodes of which that much is left free.
pub(super) fn packing_bound(algorithm: Algorithm, left: &Left) -> i64 {
    match algorithm {
        Algorithm::Binpack => of_free(algorithm, left.least),
        Algorithm::Spread => of_free(algorithm, left.most),
    }
}

/// The packing where these parts of CPU and memory are free, in steps.
fn of_free(algorithm: Algorithm, free: [u64; 2]) -> i64 {
    let power = |step: u64| POWERS[(step as usize).min(STEPS)];
    let sum = power(free[0]) + power(free[1]);
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
