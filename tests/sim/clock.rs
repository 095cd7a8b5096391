//! The wall clock of one process: an origin, tokio's paused time since, and how wrong it is.

use std::sync::{Mutex, MutexGuard, PoisonError};

use model::Timestamp;
use seams::Clock;
use tokio::time::Instant;

/// Follows tokio's clock from 2026-01-01, until it is made to step or drift.
pub struct SimClock {
    origin: Instant,
    wrong: Mutex<Wrong>,
}

/// How far a clock is off.
#[derive(Clone, Copy)]
struct Wrong {
    nanoseconds: i64,
    permille: i64,
    since: Instant,
}

/// 2026-01-01 00:00 UTC.
const EPOCH: Timestamp = Timestamp::from_seconds(1_767_225_600);

impl SimClock {
    /// Begins now.
    pub fn start() -> Self {
        Self::since(Instant::now())
    }

    /// The clock of another process of the same world, which is right.
    pub fn beside(&self) -> Self {
        Self::since(self.origin)
    }

    fn since(origin: Instant) -> Self {
        Self { origin, wrong: Mutex::new(Wrong { nanoseconds: 0, permille: 0, since: origin }) }
    }

    /// Virtual milliseconds since the start, which no process knows.
    pub fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.origin.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Puts the clock forward, or back, by so many seconds.
    pub fn step(&self, seconds: i64) {
        self.wrong().nanoseconds += seconds * 1_000_000_000;
    }

    /// From now on it goes too fast by so many thousandths, or too slow.
    pub fn drift(&self, permille: i64) {
        let mut wrong = self.wrong();
        let (now, passed) = (Instant::now(), wrong.since.elapsed());
        wrong.nanoseconds += passed.as_nanos() as i64 / 1000 * wrong.permille;
        (wrong.permille, wrong.since) = (permille, now);
    }

    /// Sets it right.
    pub fn correct(&self) {
        *self.wrong() = Wrong { nanoseconds: 0, permille: 0, since: Instant::now() };
    }

    fn wrong(&self) -> MutexGuard<'_, Wrong> {
        self.wrong.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        let wrong = *self.wrong();
        let right = EPOCH + self.origin.elapsed();
        Timestamp(right.0 + wrong.nanoseconds + wrong.since.elapsed().as_nanos() as i64 / 1000 * wrong.permille)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_clock_steps_and_drifts_and_is_set_right() {
        let clock = SimClock::start();
        clock.step(-3600);
        clock.drift(50);
        tokio::time::advance(Duration::from_secs(100)).await;
        assert_eq!(clock.now(), Timestamp(EPOCH.0 + (100 - 3600 + 5) * 1_000_000_000));
        clock.drift(0);
        tokio::time::advance(Duration::from_secs(100)).await;
        assert_eq!(clock.now(), Timestamp(EPOCH.0 + (200 - 3600 + 5) * 1_000_000_000));
        clock.correct();
        assert_eq!(clock.now(), clock.beside().now());
    }
}
