//! Randomness: ids of nodes and clusters, jitter, secrets.

use std::sync::Arc;

/// Gives numbers that nobody can foresee; the simulation's twin gives those of its seed.
pub trait Random: Send + Sync + 'static {
    /// A uniformly distributed number.
    fn next_u64(&self) -> u64;

    /// Fills all of `bytes`.
    fn fill(&self, bytes: &mut [u8]) {
        for part in bytes.chunks_mut(size_of::<u64>()) {
            part.copy_from_slice(&self.next_u64().to_le_bytes()[..part.len()]);
        }
    }

    /// 16 bytes, for an id.
    fn next_id(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        self.fill(&mut bytes);
        bytes
    }
}

impl<T: Random + ?Sized> Random for Arc<T> {
    fn next_u64(&self) -> u64 {
        (**self).next_u64()
    }
}

/// The operating system's random numbers.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn next_u64(&self) -> u64 {
        let mut bytes = [0; 8];
        getrandom::fill(&mut bytes).expect("the operating system gives random bytes once it has booted");
        u64::from_le_bytes(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_of_a_buffer_is_filled_and_no_two_alike() {
        let (mut one, mut other) = ([0; 20], [0; 20]);
        SystemRandom.fill(&mut one);
        SystemRandom.fill(&mut other);
        assert_ne!(one, other);
        assert_ne!(one[16..], [0; 4]);
    }
}
