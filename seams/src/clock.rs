//! The wall clock.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use model::Timestamp;
use tokio::time::Instant;

/// Tells what time it is.
pub trait Clock: Send + Sync + 'static {
    /// Now, by the wall clock, which may step.
    fn now(&self) -> Timestamp;
}

impl<T: Clock + ?Sized> Clock for Arc<T> {
    fn now(&self) -> Timestamp {
        (**self).now()
    }
}

/// The clock of this host.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "this is the seam's real side")]
        let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Timestamp(i64::try_from(since_epoch.as_nanos()).unwrap_or(i64::MAX))
    }
}

/// A steady clock goes so many times slower or faster than time passes, at most: a twentieth.
const SLEWS_BY: i64 = 20;

/// A clock that never steps. It begins with what another one shows and goes as time passes; if the other steps, it follows
/// slowly. What waits by it waits about as long as it should, whatever somebody does to the host's clock meanwhile.
///
/// Several hosts pass one time on with it: each heeds what the one before said, and none is ever behind that.
pub struct SteadyClock {
    wall: Arc<dyn Clock>,
    shown: Mutex<Shown>,
}

struct Shown {
    time: Timestamp,
    at: Instant,
    /// The latest that others said.
    heeded: Timestamp,
}

impl SteadyClock {
    /// Begins with what `wall` shows.
    pub fn new(wall: Arc<dyn Clock>) -> Self {
        let shown = Shown { time: wall.now(), at: Instant::now(), heeded: Timestamp(i64::MIN) };
        Self { wall, shown: Mutex::new(shown) }
    }

    /// From now on it is never behind `told`, which was the time for another.
    pub fn heed(&self, told: Timestamp) {
        let mut shown = self.shown();
        shown.heeded = shown.heeded.max(told);
    }

    /// Begins once more with what the other clock shows, which may have been set right meanwhile; never behind what it
    /// heeded.
    pub fn begin_anew(&self) {
        let mut shown = self.shown();
        (shown.time, shown.at) = (self.wall.now(), Instant::now());
    }

    fn shown(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for SteadyClock {
    fn now(&self) -> Timestamp {
        let mut shown = self.shown();
        let instant = Instant::now();
        let passed = i64::try_from(instant.saturating_duration_since(shown.at).as_nanos()).unwrap_or(i64::MAX);
        let steady = shown.time.0.saturating_add(passed);
        let off = self.wall.now().0.saturating_sub(steady);
        let slew_max = passed / SLEWS_BY;
        let slewed = Timestamp(steady.saturating_add(off.clamp(-slew_max, slew_max)));
        (shown.time, shown.at) = (slewed.max(shown.heeded), instant);
        shown.time
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};
    use std::time::Duration;

    use super::*;

    struct Set(AtomicI64);

    impl Clock for Set {
        fn now(&self) -> Timestamp {
            Timestamp(self.0.load(Ordering::Relaxed))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_steady_clock_follows_a_step_slowly_and_never_goes_back() {
        let second = 1_000_000_000;
        let wall = Arc::new(Set(AtomicI64::new(0)));
        let steady = SteadyClock::new(wall.clone());
        tokio::time::advance(Duration::from_secs(20)).await;
        wall.0.store(20 * second, Ordering::Relaxed);
        assert_eq!(steady.now(), Timestamp(20 * second));
        wall.0.store(-3600 * second, Ordering::Relaxed);
        assert_eq!(steady.now(), Timestamp(20 * second));
        tokio::time::advance(Duration::from_secs(20)).await;
        assert_eq!(steady.now(), Timestamp(39 * second));
        wall.0.store(59 * second + second / 2, Ordering::Relaxed);
        tokio::time::advance(Duration::from_secs(20)).await;
        assert_eq!(steady.now(), Timestamp(59 * second + second / 2), "it is not more than a twentieth off");
    }

    #[tokio::test(start_paused = true)]
    async fn a_steady_clock_is_never_behind_what_it_heeded_and_goes_on_from_there() {
        let second = 1_000_000_000;
        let wall = Arc::new(Set(AtomicI64::new(-3600 * second)));
        let steady = SteadyClock::new(wall.clone());
        steady.heed(Timestamp(10 * second));
        steady.heed(Timestamp(9 * second));
        assert_eq!(steady.now(), Timestamp(10 * second));
        tokio::time::advance(Duration::from_secs(20)).await;
        assert_eq!(steady.now(), Timestamp(29 * second));
        steady.begin_anew();
        assert_eq!(steady.now(), Timestamp(10 * second), "what it showed since was its own");
    }

    #[tokio::test(start_paused = true)]
    async fn a_steady_clock_that_begins_anew_shows_what_the_other_does() {
        let second = 1_000_000_000;
        let wall = Arc::new(Set(AtomicI64::new(-3600 * second)));
        let steady = SteadyClock::new(wall.clone());
        wall.0.store(20 * second, Ordering::Relaxed);
        assert_eq!(steady.now(), Timestamp(-3600 * second));
        steady.begin_anew();
        assert_eq!(steady.now(), Timestamp(20 * second));
    }
}
