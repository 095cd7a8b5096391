//! What an instance wastes of a node, from the description of the packing: the usual sizes are combined one by one.

use std::cell::RefCell;
use std::collections::BTreeMap;

use model::{Node, WHOLE_DEVICE};
use server_core::state::State;
use server_core::testing::{Usually, usually};

use crate::desk::{Piece, capacity, held_of, over};

/// Parts that shares are counted in.
const PARTS: u64 = 1024;
/// One, in the unit of scores.
const ONE: u64 = 1 << 20;
/// Steps in which CPU and memory of the largest node are told apart.
const STEPS_MAX: [u64; 2] = [128, 512];
/// Sizes that are combined.
const SIZES_MAX: usize = 16;

/// How to pack a cluster.
pub struct Packing {
    weights: [u64; 4],
    largest: [u64; 4],
    beside_device: [u64; 2],
    sizes: Vec<(u64, u64, i64)>,
    steps: [u64; 2],
    mean: [u64; 3],
    cover: i64,
    filled: RefCell<BTreeMap<(u64, u64), i64>>,
    sample: Vec<[u64; 3]>,
}

/// What a node has left, as far as packing looks at it.
pub struct Left {
    /// CPU, memory, disk.
    pub amounts: [u64; 3],
    /// Devices: how many, what is free of them in thousandths, and what of that is free of begun ones.
    pub devices: (u64, u64, u64),
}

/// CPU, memory and disk of `amounts`.
fn packed_dimensions(amounts: [u64; 4]) -> [u64; 3] {
    [amounts[0], amounts[1], amounts[3]]
}

/// What is left of `node`, where `here` stands.
pub fn left_of(node: &Node, here: &[&Piece]) -> Left {
    let (has, held) = (capacity(node), crate::desk::held(here));
    let mut devices = (0, 0, 0);
    for group in &node.devices {
        for instance in &group.instances {
            let whole = u64::from(WHOLE_DEVICE);
            let free = whole.saturating_sub(held_of(&group.id_of(&instance.id), here));
            devices.0 += 1;
            devices.1 += free;
            devices.2 += if free < whole { free } else { 0 };
        }
    }
    let free: [u64; 4] = std::array::from_fn(|at| has[at].saturating_sub(held[at]));
    Left { amounts: packed_dimensions(free), devices }
}

impl Packing {
    /// How to pack the nodes of `state`.
    pub fn of(state: &State) -> Self {
        let Usually { used, device_share, beside_devices, sizes, sample } = usually(state);
        let (mut all, mut number, mut largest) = ([0u64; 4], [0u64; 4], [0u64; 4]);
        for node in state.nodes() {
            let [cpu, memory, disk] = packed_dimensions(capacity(node));
            let devices = node.devices.iter().map(|group| group.instances.len() as u64 * 1000).sum();
            for (at, has) in [cpu, memory, disk, devices].into_iter().enumerate() {
                all[at] += has;
                number[at] += u64::from(has > 0);
                largest[at] = largest[at].max(has);
            }
        }
        let usage = [used.cpu_mhz, used.memory_mb, used.disk_mb, device_share];
        let share = |at: usize| {
            if all[at] == 0 { 0 } else { (u128::from(usage[at]) * u128::from(ONE) / u128::from(all[at])) as u64 }
        };
        let scarcest = (0..4).map(share).max().unwrap_or(0);
        let weight = |at: usize| match (all[at], scarcest) {
            (0, _) => 0,
            (_, 0) => PARTS,
            _ => (share(at) * PARTS / scarcest) * (share(at) * PARTS / scarcest) / PARTS,
        };
        let weights = [0, 1, 2, 3].map(weight);
        let mean = [0, 1, 2].map(|at| over(all[at], number[at]).max(1));
        let beside = |amount: u64| over(amount * 1000, device_share);
        let mut packing = Self {
            weights,
            largest,
            beside_device: beside_devices.map(beside),
            sizes: Vec::new(),
            steps: [1, 1],
            mean,
            cover: 0,
            filled: RefCell::default(),
            sample,
        };
        packing.learn(&sizes);
        packing
    }

    /// Takes in the usual sizes: those that make up at least a hundredth, and of these the largest loads.
    fn learn(&mut self, sizes: &[(u64, u64, u64)]) {
        let load = |(cpu, memory, number): &(u64, u64, u64)| {
            u128::from((cpu << 20) / self.mean[0] + (memory << 20) / self.mean[1]) * u128::from(*number)
        };
        let all: u128 = sizes.iter().map(load).sum();
        let mut kept: Vec<_> = sizes.iter().copied().filter(|size| all > 0 && load(size) * 100 >= all).collect();
        kept.sort_by(|one, other| load(other).cmp(&load(one)).then((one.0, one.1).cmp(&(other.0, other.1))));
        kept.truncate(SIZES_MAX);
        let common = |amounts: Vec<u64>| amounts.into_iter().fold(0, greatest_common_divisor);
        let cpu = common(kept.iter().map(|size| size.0).collect());
        let memory = common(kept.iter().map(|size| size.1).collect());
        self.steps = [
            cpu.max(self.largest[0].div_ceil(STEPS_MAX[0])).max(1),
            memory.max(self.largest[1].div_ceil(STEPS_MAX[1])).max(1),
        ];
        let of_kept: u128 = kept.iter().map(load).sum();
        self.cover = (of_kept * 64).checked_div(all).unwrap_or(0) as i64;
        let nearest = |amount: u64, step: u64| (amount * 2 + step) / (step * 2);
        let size = |(cpu, memory, _): &(u64, u64, u64)| {
            (nearest(*cpu, self.steps[0]), nearest(*memory, self.steps[1]), self.worth(*cpu, *memory))
        };
        self.sizes = kept.iter().map(size).filter(|(cpu, memory, _)| cpu + memory > 0).collect();
    }

    fn worth(&self, cpu: u64, memory: u64) -> i64 {
        (self.weights[0] * cpu * 1024 / self.mean[0] + self.weights[1] * memory * 1024 / self.mean[1]) as i64
    }

    /// What of that much CPU and memory no combination of the usual sizes fills.
    fn of_no_use(&self, left: &Left) -> i64 {
        let most = [0, 1].map(|at| self.largest[at] / self.steps[at]);
        let (cpu, memory) =
            ((left.amounts[0] / self.steps[0]).min(most[0]), (left.amounts[1] / self.steps[1]).min(most[1]));
        (self.worth(cpu * self.steps[0], memory * self.steps[1]) - self.fill(cpu, memory)).max(0)
    }

    fn fill(&self, cpu: u64, memory: u64) -> i64 {
        if let Some(known) = self.filled.borrow().get(&(cpu, memory)) {
            return *known;
        }
        let fitting = self.sizes.iter().filter(|size| size.0 <= cpu && size.1 <= memory);
        let best = fitting.map(|size| self.fill(cpu - size.0, memory - size.1) + size.2).max().unwrap_or(0);
        self.filled.borrow_mut().insert((cpu, memory), best);
        best
    }

    /// What it costs to leave `after` of `node` of which `before` is left, by an instance that takes a device or none.
    pub fn cost(&self, node: &Node, here: &[&Piece], before: &Left, after: &Left, takes_device: bool) -> i64 {
        let has = packed_dimensions(capacity(node));
        let opens = crate::desk::held(here) == [0; 4] && !takes_device;
        let share = |left: &Left, at: usize| over(left.amounts[at] * PARTS, has[at]) * self.weights[at] / PARTS;
        let mut parts = [0; 4];
        for (at, part) in parts.iter_mut().enumerate().take(3) {
            *part = if opens { self.weights[at] } else { share(after, at) };
        }
        let (number, free, _) = after.devices;
        if number > 0 {
            parts[3] = free * PARTS / (1000 * number) * self.weights[3] / PARTS;
        }
        let mut pairs = 0;
        for one in 0..4 {
            for other in 0..one {
                pairs += parts[one] * parts[other];
            }
        }
        // In 64ths: a quarter of the pairs, a sixteenth of the sum.
        let mut cost = 16 * pairs as i64 + 4 * (parts.iter().sum::<u64>() * PARTS) as i64;
        if opens {
            let of_largest = |at: usize| self.weights[at] * over(has[at] * PARTS, self.largest[at]);
            let size = (0..3).map(of_largest).sum::<u64>() / self.weights[..3].iter().sum::<u64>().max(1);
            cost += 8 * PARTS as i64 * (2 * PARTS - size) as i64;
        }
        if self.cover > 0 {
            cost += (self.of_no_use(after) - self.of_no_use(before)) * self.cover;
        }
        if self.cover < 64 {
            let imbalance = |left: &Left| {
                let parts: Vec<_> = (0..3).filter(|at| has[*at] > 0).map(|at| share(left, at)).collect();
                let least = parts.iter().copied().min().unwrap_or(0);
                parts.iter().sum::<u64>().checked_div(parts.len() as u64).map_or(0, |mean| mean as i64 - least as i64)
            };
            let more = imbalance(after) - imbalance(before);
            let (ahead, earlier) = (self.unfilled(after), self.unfilled(before));
            cost += (more * PARTS as i64 * 16 + ahead * 32 + (ahead - earlier) * 16) * (64 - self.cover) / 64;
        }
        if number > 0 {
            cost += 64 * (self.devices_of_no_use(after) - self.devices_of_no_use(before));
        }
        cost / 64
    }

    /// What of it would still be free after one of the four of the sample that fill most of it, on average.
    fn unfilled(&self, left: &Left) -> i64 {
        if self.sample.is_empty() {
            return 0;
        }
        let worth =
            |amounts: [u64; 3]| (0..3).map(|at| self.weights[at] * amounts[at] * 1024 / self.mean[at]).sum::<u64>();
        let fits = |ask: &&[u64; 3]| (0..3).all(|at| ask[at] <= left.amounts[at]);
        let mut fitting: Vec<u64> = self.sample.iter().filter(fits).map(|ask| worth(*ask)).collect();
        fitting.sort();
        let filled: u64 = fitting.iter().rev().take(4).sum();
        worth(left.amounts) as i64 - (filled / 4) as i64
    }

    fn devices_of_no_use(&self, left: &Left) -> i64 {
        let fed = |at: usize| match self.beside_device[at] {
            0 => u64::MAX,
            beside => left.amounts[at] * 1000 / beside,
        };
        let (_, free, begun) = left.devices;
        ((free.saturating_sub(fed(0).min(fed(1))) + begun) * self.weights[3] * PARTS / 1000) as i64
    }
}

fn greatest_common_divisor(one: u64, other: u64) -> u64 {
    if one == 0 { other } else { greatest_common_divisor(other % one, one) }
}
