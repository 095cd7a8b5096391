//! How much of what is free of a node no combination of the usual sizes can fill.

use std::cmp::Reverse;

use model::Resources;

use crate::state::Usual;

/// Steps in which CPU and memory of the largest node are told apart.
const STEPS_MAX: [u64; 2] = [128, 512];
/// Sizes that are combined; of more, those that make up most.
const SIZES_MAX: usize = 16;
/// Worths are rounded down, one dimension at a time.
const ROUNDING: i64 = 4;
/// In 64ths: all of it.
const ALL: i64 = 64;

/// What is of no use, by what is free.
#[derive(Default)]
pub(super) struct Knapsack {
    /// Amounts of CPU and memory of a step.
    steps: [u64; 2],
    columns: usize,
    rows: usize,
    of_no_use: Vec<i32>,
    /// Worth of an amount of CPU or memory: 2^20 for all of a mean node's, less where there is plenty.
    weights: [u64; 2],
    mean: [u64; 2],
    /// The sizes that fit into whole steps: taking one of them never makes use of what was of no use.
    exact: Vec<(u64, u64)>,
    cover: i64,
}

impl Knapsack {
    /// What the `usual` sizes leave, on nodes of those mean and largest capacities.
    pub fn of(weights: [u64; 2], mean: [u64; 2], largest: [u64; 2], usual: &[Usual]) -> Self {
        let load = |usual: &Usual| {
            let parts = (usual.cpu_mhz << 20) / mean[0] + (usual.memory_mb << 20) / mean[1];
            u128::from(parts) * u128::from(usual.instances)
        };
        let all: u128 = usual.iter().map(load).sum();
        let mut kept: Vec<_> = usual.iter().filter(|usual| load(usual) * 100 >= all && all > 0).collect();
        kept.sort_by_key(|usual| (Reverse(load(usual)), usual.cpu_mhz, usual.memory_mb));
        kept.truncate(SIZES_MAX);
        let step = |of: usize, amount: fn(&Usual) -> u64| {
            let common = kept.iter().fold(0, |common, usual| greatest_common(amount(usual), common));
            common.max(largest[of].div_ceil(STEPS_MAX[of])).max(1)
        };
        let steps = [step(0, |usual| usual.cpu_mhz), step(1, |usual| usual.memory_mb)];
        let kept_load: u128 = kept.iter().map(|usual| load(usual)).sum();
        let cover = (kept_load * ALL as u128).checked_div(all).unwrap_or(0) as i64;
        let mut knapsack = Self { steps, weights, mean, cover, ..Self::default() };
        if cover > 0 {
            knapsack.rows = (largest[0] / steps[0]) as usize + 1;
            knapsack.columns = (largest[1] / steps[1]) as usize + 1;
            knapsack.fill(&kept);
        }
        knapsack
    }

    fn fill(&mut self, kept: &[&Usual]) {
        let [cpu, memory] = self.steps;
        let rounded = |amount: u64, step: u64| ((amount * 2 + step) / (step * 2)) as usize;
        let sizes: Vec<_> = kept
            .iter()
            .map(|usual| {
                let worth = self.worth(usual.cpu_mhz, usual.memory_mb) as i32;
                (rounded(usual.cpu_mhz, cpu), rounded(usual.memory_mb, memory), worth)
            })
            .filter(|(rows, columns, _)| rows + columns > 0)
            .collect();
        let columns = self.columns;
        let mut filled = vec![0i32; self.rows * columns];
        for row in 0..self.rows {
            // What takes CPU is looked up in rows that are done, all columns at a time; what takes none, in this one.
            let (done, rest) = filled.split_at_mut(row * columns);
            let best = &mut rest[..columns];
            for (down, left, worth) in
                sizes.iter().filter(|(down, left, _)| (1..=row).contains(down) && *left < columns)
            {
                let before = &done[(row - down) * columns..][..columns - left];
                for (best, before) in best[*left..].iter_mut().zip(before) {
                    *best = (*best).max(before + worth);
                }
            }
            for (_, left, worth) in sizes.iter().filter(|(down, _, _)| *down == 0) {
                for column in *left..columns {
                    best[column] = best[column].max(best[column - left] + worth);
                }
            }
        }
        let of_memory: Vec<_> = (0..columns).map(|column| self.worth(0, column as u64 * memory) as i32).collect();
        for (row, cells) in filled.chunks_exact_mut(columns).enumerate() {
            let of_cpu = self.worth(row as u64 * cpu, 0) as i32;
            for (cell, of_memory) in cells.iter_mut().zip(&of_memory) {
                *cell = (of_cpu + of_memory - *cell).max(0);
            }
        }
        self.of_no_use = filled;
        let is_exact = |usual: &&&Usual| usual.cpu_mhz.is_multiple_of(cpu) && usual.memory_mb.is_multiple_of(memory);
        self.exact = kept.iter().filter(is_exact).map(|usual| (usual.cpu_mhz, usual.memory_mb)).collect();
    }

    fn worth(&self, cpu_mhz: u64, memory_mb: u64) -> i64 {
        (self.weights[0] * cpu_mhz * 1024 / self.mean[0] + self.weights[1] * memory_mb * 1024 / self.mean[1]) as i64
    }

    /// How much of what runs is of the sizes that are combined, in 64ths.
    pub fn cover(&self) -> i64 {
        self.cover
    }

    /// What of `free` is of no use; 2^20 is all of one dimension of a mean node.
    pub fn of_no_use(&self, free: Resources) -> i64 {
        if self.of_no_use.is_empty() {
            return 0;
        }
        let row = ((free.cpu_mhz / self.steps[0]) as usize).min(self.rows - 1);
        let column = ((free.memory_mb / self.steps[1]) as usize).min(self.columns - 1);
        i64::from(self.of_no_use[row * self.columns + column])
    }

    /// By how much less may be of no use after an instance that asks `ask` has come: nothing where that is a usual size,
    /// whose room was of use before; otherwise all that it takes, and what is lost by rounding.
    pub fn saved_at_most(&self, ask: Resources) -> i64 {
        if self.exact.contains(&(ask.cpu_mhz, ask.memory_mb)) {
            return ROUNDING;
        }
        self.worth(ask.cpu_mhz + self.steps[0], ask.memory_mb + self.steps[1]) + ROUNDING
    }
}

fn greatest_common(one: u64, other: u64) -> u64 {
    if other == 0 { one } else { greatest_common(other, one % other) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NODE: [u64; 2] = [1000, 1000];

    fn usual(cpu_mhz: u64, memory_mb: u64) -> Usual {
        Usual { cpu_mhz, memory_mb, instances: 100 }
    }

    fn free(cpu_mhz: u64, memory_mb: u64) -> Resources {
        Resources { cpu_mhz, memory_mb, ..Resources::default() }
    }

    #[test]
    fn what_the_usual_sizes_fill_exactly_is_all_of_use() {
        let knapsack = Knapsack::of([1024; 2], NODE, NODE, &[usual(250, 250)]);
        assert_eq!(knapsack.cover(), ALL);
        assert_eq!(knapsack.of_no_use(free(1000, 1000)), 0);
        assert_eq!(knapsack.of_no_use(free(500, 1000)), ONE_DIMENSION / 2);
        assert_eq!(knapsack.of_no_use(free(0, 1000)), ONE_DIMENSION);
    }

    #[test]
    fn what_there_is_plenty_of_is_no_loss() {
        let knapsack = Knapsack::of([1024, 0], NODE, NODE, &[usual(250, 250)]);
        assert_eq!(knapsack.of_no_use(free(0, 1000)), 0);
        assert_eq!(knapsack.of_no_use(free(1000, 0)), ONE_DIMENSION);
    }

    #[test]
    fn a_size_that_is_rare_beside_the_others_makes_nothing_useful() {
        let rare = Usual { instances: 1, ..usual(1, 1) };
        let knapsack = Knapsack::of([1024; 2], NODE, NODE, &[usual(500, 500), usual(300, 300), rare]);
        assert!(knapsack.of_no_use(free(200, 200)) > 0);
    }

    #[test]
    fn where_nothing_is_usual_nothing_is_said() {
        let knapsack = Knapsack::of([1024; 2], NODE, NODE, &[]);
        assert_eq!((knapsack.cover(), knapsack.of_no_use(free(400, 1))), (0, 0));
    }

    /// All of one dimension of a node.
    const ONE_DIMENSION: i64 = 1 << 20;

    /// What is left of no use by the best of all combinations, tried one by one.
    fn tried(sizes: &[(u64, u64)], cpu: u64, memory: u64) -> u64 {
        let placed = sizes.iter().filter(|(c, m)| *c <= cpu && *m <= memory && c + m > 0);
        placed.map(|(c, m)| tried(sizes, cpu - c, memory - m)).min().unwrap_or(cpu + memory).min(cpu + memory)
    }

    proptest! {
        #[test]
        fn it_finds_what_trying_all_combinations_finds(
            // Some ask for nothing of one of both, none for nothing at all.
            sizes in proptest::collection::vec((0..5u64, 0..5u64).prop_filter("asks for something", |size| *size != (0, 0)), 1..4),
            (cpu, memory) in (0..9u64, 0..9u64),
        ) {
            let usual: Vec<_> = sizes.iter().map(|(cpu, memory)| usual(*cpu, *memory)).collect();
            let knapsack = Knapsack::of([1024; 2], [1024; 2], [8, 8], &usual);
            // Each unit is worth 1,024. Free amounts are rounded down to steps.
            let [step_cpu, step_memory] = knapsack.steps;
            let (cpu, memory) = (cpu / step_cpu * step_cpu, memory / step_memory * step_memory);
            let (cpu, memory) = (cpu.min((knapsack.rows as u64 - 1) * step_cpu), memory.min((knapsack.columns as u64 - 1) * step_memory));
            prop_assert_eq!(knapsack.of_no_use(free(cpu, memory)), tried(&sizes, cpu, memory) as i64 * 1024);
        }

        #[test]
        fn taking_a_usual_size_makes_nothing_useful_that_was_not(
            sizes in proptest::collection::vec((1..9u64, 1..9u64), 1..5),
            (cpu, memory) in (0..40u64, 0..40u64),
            pick in 0..5usize,
        ) {
            let usual: Vec<_> = sizes.iter().map(|(cpu, memory)| usual(*cpu * 7, *memory * 5)).collect();
            let knapsack = Knapsack::of([1024; 2], [280, 200], [280, 200], &usual);
            let ask = usual[pick % usual.len()];
            let ask = free(ask.cpu_mhz, ask.memory_mb);
            let before = free(cpu * 7, memory * 5);
            if ask.is_within(before) {
                let saved = knapsack.of_no_use(before) - knapsack.of_no_use(before - ask);
                prop_assert!(saved <= knapsack.saved_at_most(ask), "{saved}");
            }
        }
    }
}
