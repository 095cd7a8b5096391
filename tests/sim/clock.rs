//! The wall clock of a simulation: an origin, and tokio's paused time since.

use model::Timestamp;
use seams::Clock;
use tokio::time::Instant;

/// Follows tokio's clock from 2026-01-01.
pub struct SimClock {
    origin: Instant,
}

/// 2026-01-01 00:00 UTC.
const EPOCH: Timestamp = Timestamp::from_seconds(1_767_225_600);

impl SimClock {
    /// Begins now.
    pub fn start() -> Self {
        Self { origin: Instant::now() }
    }

    /// Virtual milliseconds since the start.
    pub fn elapsed_ms(&self) -> u128 {
        self.origin.elapsed().as_millis()
    }
}

impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        EPOCH + self.origin.elapsed()
    }
}
