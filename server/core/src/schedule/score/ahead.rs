//! How much of what is free of a node would still be free when one more instance has come.
//!
//! Which one, nobody knows; but a node that is left open sees many come, and gets one that fits it well. So a sample of all
//! that runs is tried, and the mean of the few that fill most of it counts: one alone would be luck, and all of them would
//! count those that go elsewhere.

use model::Resources;

/// So many of the sample count, those that fill most.
const BEST: usize = 4;
/// Worths are rounded down, one dimension at a time.
const ROUNDING: i64 = 4;

/// What comes, as far as the past tells.
#[derive(Default)]
pub(super) struct Ahead {
    /// Worth of an amount of CPU, memory or disk: 2^20 for all of a mean node's, less where there is plenty.
    weights: [u64; 3],
    mean: [u64; 3],
    /// The sample with what each is worth, the largest worth first.
    sample: Vec<([u64; 3], i64)>,
}

impl Ahead {
    /// What comes if it is as the `sample`, on nodes of that mean capacity.
    pub fn of(weights: [u64; 3], mean: [u64; 3], sample: &[[u64; 3]]) -> Self {
        let mut ahead = Self { weights, mean, sample: Vec::new() };
        let with_worth = |amounts: &[u64; 3]| (*amounts, ahead.worth(*amounts));
        let mut sample: Vec<_> = sample.iter().map(with_worth).filter(|(_, worth)| *worth > 0).collect();
        sample.sort_by(|(one, one_worth), (other, other_worth)| other_worth.cmp(one_worth).then(one.cmp(other)));
        ahead.sample = sample;
        ahead
    }

    fn worth(&self, amounts: [u64; 3]) -> i64 {
        let worth = |of: usize| self.weights[of] * amounts[of] * 1024 / self.mean[of];
        (worth(0) + worth(1) + worth(2)) as i64
    }

    /// What of `free` is still free then; 2^20 is all of one dimension of a mean node. Nothing is said without a sample.
    pub fn unfilled(&self, free: Resources) -> i64 {
        if self.sample.is_empty() {
            return 0;
        }
        let free = [free.cpu_mhz, free.memory_mb, free.disk_mb];
        let fitting = self.sample.iter().filter(|(ask, _)| (0..3).all(|of| ask[of] <= free[of]));
        let filled: i64 = fitting.take(BEST).map(|(_, worth)| worth).sum();
        self.worth(free) - filled / BEST as i64
    }

    /// By how much less is still free then after an instance that asks `ask` has come: no more than it takes itself, since
    /// what fits after it has fitted before.
    pub fn saved_at_most(&self, ask: Resources) -> i64 {
        self.worth([ask.cpu_mhz, ask.memory_mb, ask.disk_mb]) + ROUNDING
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NODE: [u64; 3] = [1000, 1000, 1000];
    /// All of one dimension of a node.
    const ONE_DIMENSION: i64 = 1 << 20;

    fn free([cpu_mhz, memory_mb, disk_mb]: [u64; 3]) -> Resources {
        Resources { cpu_mhz, memory_mb, disk_mb, ..Resources::default() }
    }

    #[test]
    fn of_the_sample_the_few_that_fill_most_of_what_is_free_count() {
        let sample = [[100; 3], [500; 3], [500; 3], [500; 3], [500; 3], [900; 3]];
        let ahead = Ahead::of([1024; 3], NODE, &sample);
        assert_eq!(ahead.unfilled(free([500; 3])), 0);
        assert_eq!(ahead.unfilled(free([500, 750, 500])), ONE_DIMENSION / 4);
        // Where only one fits, it comes one time of four.
        assert_eq!(ahead.unfilled(free([100; 3])), ahead.worth([100; 3]) - ahead.worth([100; 3]) / 4);
        assert_eq!(ahead.unfilled(free([1000, 1000, 0])), 2 * ONE_DIMENSION);
    }

    #[test]
    fn what_there_is_plenty_of_is_no_loss_and_without_a_sample_nothing_is_said() {
        let ahead = Ahead::of([1024, 0, 0], NODE, &[[500, 10, 10]; 4]);
        assert_eq!(ahead.unfilled(free([500, 1000, 1000])), 0);
        assert_eq!(Ahead::of([1024; 3], NODE, &[]).unfilled(free([1000; 3])), 0);
    }

    proptest! {
        #[test]
        fn no_instance_saves_more_than_is_said(
            sample in proptest::collection::vec([0..900u64, 0..900u64, 0..900u64], 0..9),
            weights in [0..1025u64, 0..1025u64, 0..1025u64],
            (ask, left) in ([0..500u64, 0..500u64, 0..500u64], [0..500u64, 0..500u64, 0..500u64]),
        ) {
            let ahead = Ahead::of(weights, [700, 999, 1300], &sample);
            let (ask, left) = (free(ask), free(left));
            let (before, after) = (ahead.unfilled(left + ask), ahead.unfilled(left));
            prop_assert!(after >= 0 && before - after <= ahead.saved_at_most(ask), "{before} {after}");
        }
    }
}
