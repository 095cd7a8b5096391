//! Everything random in a simulation, from one number.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use seams::Random;

/// A stream of numbers that follows from its seed (SplitMix64, Steele et al. 2014).
pub struct SeededRandom {
    state: Mutex<u64>,
}

impl SeededRandom {
    /// The stream of `seed`.
    pub fn new(seed: u64) -> Self {
        Self { state: Mutex::new(seed) }
    }

    /// The stream of part `number` of what `seed` stands for: it stays the same whatever the other parts draw.
    pub fn part(seed: u64, number: u64) -> Self {
        let mixed = Self::new(seed ^ number.wrapping_mul(0xD1B5_4A32_D192_ED03));
        Self::new(mixed.next_u64())
    }

    /// A number below `bound`.
    pub fn below(&self, bound: u64) -> u64 {
        self.next_u64() % bound.max(1)
    }

    /// A number from `first` to `last`, both included.
    pub fn between(&self, first: u64, last: u64) -> u64 {
        first + self.below(last.saturating_sub(first) + 1)
    }

    /// A time from `first` to `last`, in milliseconds.
    pub fn milliseconds(&self, first: u64, last: u64) -> Duration {
        Duration::from_millis(self.between(first, last))
    }

    /// True in `percent` of the cases.
    pub fn chance(&self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of several; none of none.
    pub fn pick<T: Clone>(&self, of: &[T]) -> Option<T> {
        of.get(self.below(of.len() as u64) as usize).cloned()
    }
}

impl Random for SeededRandom {
    fn next_u64(&self) -> u64 {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = *state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}
