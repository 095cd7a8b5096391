//! The cluster in one thread: real servers, real consensus, real agents, on a paused clock and from one seed.
//!
//! Net, disk, clock, randomness and container runtime are twins, and each of them can fail. Everything about a run
//! follows from its seed: how many servers and agents there are, what people do, and what goes wrong when. A run warms
//! up, has its faults while somebody works, calms down, must heal within a minute, and is audited; somebody who sees
//! everything holds it against what must always be (`oracle`). The same seed gives the same run, byte for byte.
//!
//! ```text
//!   seed ──► settings ──► script ──► faults, deeds ──► cluster (net, disk, clock, driver)
//!                                                        │ every entry, answer, container
//!                                                        ▼
//!                                     oracle ──► trace, coverage ──► sweep ──► shrink
//! ```

pub mod backup;
mod calm;
mod clock;
mod cluster;
pub mod coverage;
mod deeds;
mod driver;
mod faults;
mod fleet;
mod jobs;
pub mod membership;
mod net;
#[cfg(feature = "old-bugs")]
pub mod old_bugs;
mod oracle;
mod overfill;
mod panics;
mod rebalance;
mod scenario;
mod script;
pub(crate) mod seed;
mod settings;
mod shrink;
mod slow_disk;
pub mod sweep;
mod trace;
mod watch;

use std::collections::BTreeSet;
use std::time::Duration;

use invariants::Violation;
use tokio::time::timeout;

pub use coverage::{Coverage, Sometimes};
pub use script::parse_without;
use settings::Settings;

/// Virtual time that no run may take.
const RUN_MAX: Duration = Duration::from_secs(900);

/// What a run did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Run {
    /// Its seed.
    pub seed: u64,
    /// A line for every entry and everything done.
    pub timeline: String,
    /// The hash of all that every process did.
    pub hash: String,
    /// What was wrong; empty in a good run.
    pub violations: Vec<Violation>,
    /// What it met.
    pub coverage: Coverage,
    /// Faults that struck.
    pub faults: u32,
    /// Virtual time that it took.
    pub lasted: Duration,
    /// How long it took to heal, if it came to that.
    pub healed_after: Option<Duration>,
}

impl Run {
    /// A run that ended before it could say anything of itself.
    fn broken(seed: u64, what: impl Into<String>) -> Self {
        let violations = vec![Violation { invariant: "a run ends", what: what.into() }];
        Self { seed, violations, ..Self::default() }
    }
}

/// Runs `seed` to its end on this thread, without the events and agents of those numbers.
pub fn run(seed: u64, without: &BTreeSet<u32>) -> Run {
    in_virtual_time(seed, scenario::play(Settings::of(seed), without))
}

/// Runs a rebalance whose leader is killed, on this thread.
pub fn run_rebalance(seed: u64) -> Run {
    in_virtual_time(seed, rebalance::play(seed))
}

/// Runs a plan that puts more on a node than it holds, on this thread.
pub fn run_overfill(seed: u64) -> Run {
    in_virtual_time(seed, overfill::play(seed))
}

/// Runs a leader whose disk is slow while agents turn to it, on this thread.
pub fn run_slow_disk(seed: u64) -> Run {
    in_virtual_time(seed, slow_disk::play(seed))
}

/// As [`run_overfill`], with servers that accept what a node has no room for.
pub fn run_without_capacity_check(seed: u64) -> Run {
    server_core::testing::without_capacity_check(|| run_overfill(seed))
}

fn in_virtual_time(seed: u64, play: impl Future<Output = Run>) -> Run {
    let (run, panics) = panics::recorded(|| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .rng_seed(tokio::runtime::RngSeed::from_bytes(&seed.to_le_bytes()))
            .build()
            .expect("a runtime without I/O needs nothing of the system");
        runtime.block_on(async { timeout(RUN_MAX, play).await })
    });
    let mut run = match run {
        Some(Ok(run)) => run,
        Some(Err(_)) => Run::broken(seed, format!("it takes more than {RUN_MAX:?} of its time")),
        None => Run::broken(seed, "it panicked"),
    };
    run.violations.extend(panics.into_iter().map(|what| Violation { invariant: "nothing panics", what }));
    run
}
