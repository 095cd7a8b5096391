//! How good a node is for an instance: a sum of parts, larger is better. One is 2^20.
//!
//! | part | range | meaning |
//! |---|---|---|
//! | packing | about −3 … 1 | what the instance wastes of the node ([`Packing`]); for the spread algorithm 0 … 1, 1 where CPU and memory are all free |
//! | anti-affinity | −1 … 0 | −(instances of the group there + 1) / count, if there is one; not for batch jobs |
//! | penalty | −1 or 0 | the instance failed there before |
//! | affinity | −1 … 1 | weight of the preferences that hold over the weight of all |
//! | devices | −1 … 1 | the same among the devices that it would get |
//! | spread | −1 … 1 each, weighted | how much the node's value lacks of its share |
//!
//! Unlike in Nomad parts are added, not averaged: a part that says nothing does not change what the others mean. All of it
//! is computed with integers, so that every machine agrees.

mod ahead;
mod knapsack;
mod packing;
mod preferences;
mod spreads;

use model::Resources;

use super::fleet::Left;

pub(super) use packing::{Packing, Totals};
pub(super) use preferences::Affinities;
pub(super) use spreads::Spreads;

/// One, in the unit of scores.
pub const SCORE_ONE: i64 = 1 << 20;
const ONE: i64 = SCORE_ONE;
/// One, in the unit of [`POWERS`].
const MILLION: i64 = 1_000_000;
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

/// A node's score, with its parts kept for explanations, each in parts of [`SCORE_ONE`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Score {
    /// What the instance wastes of the node; for the spread algorithm, how empty the node is.
    pub packing: i64,
    /// What other instances of the group there count against it.
    pub anti_affinity: i64,
    /// That the instance failed there before.
    pub penalty: i64,
    /// The preferences that hold.
    pub affinity: i64,
    /// How much the node's values lack of their share.
    pub spread: i64,
    /// The preferences that hold among the devices.
    pub devices: i64,
}

impl Score {
    /// The sum of the parts.
    pub fn total(self) -> i64 {
        self.packing + self.anti_affinity + self.penalty + self.affinity + self.spread + self.devices
    }

    /// The parts with their names, in the order of the table above.
    pub fn parts(self) -> [(&'static str, i64); 6] {
        [
            ("packing", self.packing),
            ("anti-affinity", self.anti_affinity),
            ("penalty", self.penalty),
            ("affinity", self.affinity),
            ("devices", self.devices),
            ("spread", self.spread),
        ]
    }
}

/// How empty the node is with `used` of `capacity`, for the spread algorithm: as Nomad has it, 10^(free share) of CPU and
/// memory, from 0 to one.
pub(super) fn emptiness(used: Resources, capacity: Resources) -> i64 {
    // A node without any of it has nothing free.
    let free =
        |used: u64, capacity: u64| (capacity.saturating_sub(used) * STEPS as u64).checked_div(capacity).unwrap_or(0);
    emptiness_of([free(used.cpu_mhz, capacity.cpu_mhz), free(used.memory_mb, capacity.memory_mb)])
}

/// How empty nodes are at most of which that much is left.
pub(super) fn emptiness_at_most(left: &Left) -> i64 {
    emptiness_of(left.most)
}

fn emptiness_of(free: [u64; 2]) -> i64 {
    let power = |step: u64| POWERS[(step as usize).min(STEPS)];
    let sum = power(free[0]) + power(free[1]) - 2 * MILLION;
    sum.clamp(0, 18 * MILLION) / 18 * ONE / MILLION
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
mod tests;
