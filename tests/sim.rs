//! The cluster in one thread: real servers, real consensus, real agents, on a paused clock and from one seed.
//!
//! Net, disk, clock, randomness and container runtime are twins. A run warms up, loses a leader and a node, heals, and
//! is audited; its trace holds every entry that every server applied, and the same seed gives the same trace.

pub mod backup;
mod clock;
mod cluster;
mod fleet;
pub mod membership;
mod net;
mod overfill;
mod rebalance;
mod scenario;
pub(crate) mod seed;
mod trace;

use invariants::Violation;

/// What a run did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// A line for every entry applied and everything done.
    pub trace: String,
    /// What was wrong; empty in a good run.
    pub violations: Vec<Violation>,
}

/// Runs `seed` to its end, on this thread.
pub fn run(seed: u64) -> Run {
    in_virtual_time(seed, scenario::play(seed))
}

/// Runs a rebalance whose leader is killed, on this thread.
pub fn run_rebalance(seed: u64) -> Run {
    in_virtual_time(seed, rebalance::play(seed))
}

fn in_virtual_time(seed: u64, play: impl Future<Output = Run>) -> Run {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .rng_seed(tokio::runtime::RngSeed::from_bytes(&seed.to_le_bytes()))
        .build()
        .expect("a runtime without I/O needs nothing of the system");
    runtime.block_on(play)
}

/// As [`run`], with servers that accept what a node has no room for.
pub fn run_without_capacity_check(seed: u64) -> Run {
    server_core::testing::without_capacity_check(|| run(seed))
}
