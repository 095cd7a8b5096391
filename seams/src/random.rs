//! Randomness: ids of nodes and clusters, jitter, secrets.

use std::sync::Arc;

/// Gives numbers that nobody can foresee; the simulation's twin gives those of its seed.
pub trait Random: Send + Sync + 'static {
    /// A uniformly distributed number.
    fn next_u64(&self) -> u64;

    /// 16 bytes, for an id.
    fn next_id(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.next_u64().to_le_bytes());
        bytes[8..].copy_from_slice(&self.next_u64().to_le_bytes());
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
