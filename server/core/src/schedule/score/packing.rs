//! Which node an instance wastes least on.
//!
//! What counts is not how full a node becomes but whether what is left of it is of use to what usually runs. Left of no
//! use is the CPU and memory that no combination of the usual sizes can fill, exactly: a knapsack of two dimensions,
//! computed once for many decisions and looked up twice for each node. Devices are left of no use that the node's CPU and
//! memory can't feed, and what is left of begun ones. What is scarce counts for more than what there is plenty of.
//!
//! ```text
//!   cost = more of no use than before
//!        + 1/4  of the product of what is left of each two dimensions, and 1/16 of their sum      (pack)
//!        + 1/8  to 1/4 to open an empty node, less for a large one
//!   and as far as no usual sizes are known:
//!        + 1/4  of more imbalance than before
//!        + 1/2  of what would still be free when one more has come, and 1/4 of how much more that is than before
//! ```
//!
//! Where nearly every size is another, no combination of them is likely, and what is left is judged by one step ahead: how
//! well those of a sample of all that runs would fill it that do so best ([`Ahead`]).
//!
//! In 2^20ths of a mean node's scarcest dimension.

use model::Resources;

use super::super::fleet::{Devices, Left, Row};
use super::ONE;
use super::ahead::Ahead;
use super::knapsack::Knapsack;
use crate::state::Picture;

/// Parts that shares and weights are counted in.
const PARTS: u64 = 1024;
/// Weights of the parts of a cost, in 64ths.
const PAIR: i64 = 16;
const SUM: i64 = 4;
const OPENING: i64 = 8;
const IMBALANCE: i64 = 16;
const AHEAD: i64 = 32;
const AHEAD_MORE: i64 = 16;

/// What the nodes have in all, as far as packing looks at it: CPU, memory, disk, devices in thousandths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in super::super) struct Totals {
    /// All together.
    pub all: [u64; 4],
    /// How many nodes have some of it.
    pub nodes: [u64; 4],
    /// The most that one has.
    pub largest: [u64; 4],
}

/// How to pack: computed from what there is and what usually runs.
#[derive(Default)]
pub(in super::super) struct Packing {
    /// How scarce each dimension is, at most [`PARTS`].
    weights: [u64; 4],
    largest: [u64; 4],
    /// CPU and memory that go with a whole device, as a rule.
    beside_device: [u64; 2],
    knapsack: Knapsack,
    ahead: Ahead,
}

impl Totals {
    /// Adds a node.
    pub fn add(&mut self, row: &Row) {
        let devices = u64::from(row.devices.instances) * 1000;
        let has = [row.capacity.cpu_mhz, row.capacity.memory_mb, row.capacity.disk_mb, devices];
        for (dimension, has) in has.into_iter().enumerate() {
            self.all[dimension] += has;
            self.nodes[dimension] += u64::from(has > 0);
            self.largest[dimension] = self.largest[dimension].max(has);
        }
    }
}

impl Packing {
    /// How to pack what usually runs on what there is.
    pub fn of(totals: &Totals, picture: &Picture) -> Self {
        let used = [picture.used.cpu_mhz, picture.used.memory_mb, picture.used.disk_mb, picture.device_share];
        let part = |of: usize| (u128::from(used[of]) * ONE as u128).checked_div(u128::from(totals.all[of]));
        let parts = [0, 1, 2, 3].map(|of| part(of).map_or(0, |part| part as u64));
        let scarcest = parts.into_iter().max().unwrap_or_default();
        let weight = |of: usize| match (totals.all[of], scarcest) {
            (0, _) => 0,
            (_, 0) => PARTS,
            (_, scarcest) => (parts[of] * PARTS / scarcest).pow(2) / PARTS,
        };
        let weights = [0, 1, 2, 3].map(weight);
        let mean = [0, 1, 2, 3].map(|of| (totals.all[of] / totals.nodes[of].max(1)).max(1));
        let beside = |amount: u64| (amount * 1000).checked_div(picture.device_share).unwrap_or(0);
        Self {
            weights,
            largest: totals.largest,
            beside_device: picture.beside_devices.map(beside),
            knapsack: Knapsack::of(
                [weights[0], weights[1]],
                [mean[0], mean[1]],
                [totals.largest[0], totals.largest[1]],
                &picture.sizes,
            ),
            ahead: Ahead::of([weights[0], weights[1], weights[2]], [mean[0], mean[1], mean[2]], &picture.sample),
        }
    }

    /// What it costs that a node, of which `free` is free now, has `left` left and its devices are `devices` then. An
    /// instance that `takes_device` opens no node for nothing.
    pub fn cost(&self, row: &Row, free: Resources, left: Resources, devices: &Devices, takes_device: bool) -> i64 {
        let opens = row.used == Resources::default() && !takes_device;
        let mut parts =
            if opens { [self.weights[0], self.weights[1], self.weights[2], 0] } else { self.parts(row, left) };
        if devices.instances > 0 {
            parts[3] = devices.free * PARTS / (1000 * u64::from(devices.instances)) * self.weights[3] / PARTS;
        }
        let mut cost = self.packed(parts);
        if opens {
            cost += OPENING * PARTS as i64 * (2 * PARTS - self.size(row)) as i64;
        }
        let cover = self.knapsack.cover();
        if cover > 0 {
            let more = self.knapsack.of_no_use(left) - self.knapsack.of_no_use(free);
            cost += more * cover;
        }
        if cover < 64 {
            let more = self.imbalance(row, left) - self.imbalance(row, free);
            let (ahead, before) = (self.ahead.unfilled(left), self.ahead.unfilled(free));
            let unknown = more * PARTS as i64 * IMBALANCE + ahead * AHEAD + (ahead - before) * AHEAD_MORE;
            cost += unknown * (64 - cover) / 64;
        }
        if devices.instances > 0 {
            cost += 64 * (self.devices_of_no_use(left, devices) - self.devices_of_no_use(free, &row.devices));
        }
        cost / 64
    }

    /// What it costs at least on nodes of which that much is left, for an instance that asks `ask` of nodes of at least that
    /// capacity and no device.
    pub fn cost_at_least(&self, ask: Resources, left: &Left) -> i64 {
        let part = |of: usize| left.least[of] * self.weights[of] / PARTS;
        let cover = self.knapsack.cover();
        let mut cost = self.packed([part(0), part(1), 0, 0]);
        cost -= self.knapsack.saved_at_most(ask) * cover;
        if cover < 64 {
            let most = (0..3).map(|of| left.asked[of] * self.weights[of] / PARTS + 1).max().unwrap_or_default();
            let unknown = most as i64 * PARTS as i64 * IMBALANCE + self.ahead.saved_at_most(ask) * AHEAD_MORE;
            cost -= unknown * (64 - cover) / 64 + 1;
        }
        cost / 64 - 1
    }

    /// What is left of each dimension of a node, by its weight.
    fn parts(&self, row: &Row, left: Resources) -> [u64; 4] {
        let left = [left.cpu_mhz, left.memory_mb, left.disk_mb];
        let has = [row.capacity.cpu_mhz, row.capacity.memory_mb, row.capacity.disk_mb];
        let part = |of: usize| (left[of] * PARTS).checked_div(has[of]).unwrap_or(0) * self.weights[of] / PARTS;
        [part(0), part(1), part(2), 0]
    }

    /// The products of each two parts, and their sum.
    fn packed(&self, parts: [u64; 4]) -> i64 {
        let sum: u64 = parts.iter().sum();
        let squares: u64 = parts.iter().map(|part| part * part).sum();
        PAIR * ((sum * sum - squares) / 2) as i64 + SUM * (sum * PARTS) as i64
    }

    /// How large a node is beside the largest.
    fn size(&self, row: &Row) -> u64 {
        let has = [row.capacity.cpu_mhz, row.capacity.memory_mb, row.capacity.disk_mb];
        let part = |of: usize| self.weights[of] * (has[of] * PARTS).checked_div(self.largest[of]).unwrap_or(0);
        let all: u64 = self.weights[..3].iter().sum();
        (part(0) + part(1) + part(2)) / all.max(1)
    }

    /// How much more is left of the mean dimension than of the least.
    fn imbalance(&self, row: &Row, left: Resources) -> i64 {
        let parts = self.parts(row, left);
        let has = [row.capacity.cpu_mhz, row.capacity.memory_mb, row.capacity.disk_mb];
        let (mut sum, mut least, mut dimensions) = (0, u64::MAX, 0);
        for of in (0..3).filter(|of| has[*of] > 0) {
            sum += parts[of];
            least = least.min(parts[of]);
            dimensions += 1;
        }
        sum.checked_div(dimensions).map_or(0, |mean| mean as i64 - least as i64)
    }

    /// The devices that the CPU and memory which are left can't feed, and what is left of begun ones.
    fn devices_of_no_use(&self, left: Resources, devices: &Devices) -> i64 {
        let fed = |left: u64, beside: u64| (left * 1000).checked_div(beside).unwrap_or(u64::MAX);
        let fed = fed(left.cpu_mhz, self.beside_device[0]).min(fed(left.memory_mb, self.beside_device[1]));
        ((devices.free.saturating_sub(fed) + devices.begun) * self.weights[3] * PARTS / 1000) as i64
    }
}
