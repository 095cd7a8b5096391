//! How fast new work is given out to agents: as fast as this server keeps up with what comes of it.
//!
//! Every instance that an agent begins comes back as observations, each of which goes through the log. A hundred thousand
//! at once would leave no time for beats, so that nodes would seem lost, nor for the planner. So who gives out new work
//! takes a permit for each instance. They come at a rate that halves while this server's own timers are late, and grows
//! again while they are not; where they are never late, nobody ever waits. While evaluations wait to be planned it is lower
//! too: what is decided later begins later, and agents have work meanwhile.

use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep_until};

/// Permits per second at most.
const RATE_MAX: u32 = 20_000;
/// Permits per second at most while evaluations wait for the planner: far more than small jobs need, however many come.
const RATE_WHILE_PLANNING: u32 = 1_000;
/// Permits per second however late the timers are.
const RATE_MIN: u32 = 500;
/// How often permits are added and the timers looked at.
const TICK: Duration = Duration::from_millis(50);
/// So late is too late.
const LATE: Duration = Duration::from_millis(20);
/// By so much the rate grows from one tick to the next.
const GROWTH: u32 = RATE_MAX / 100;

/// Gives out permits for new work.
pub(crate) struct Pace {
    permits: Semaphore,
}

impl Default for Pace {
    fn default() -> Self {
        Self { permits: Semaphore::new(of_a_tick(RATE_MAX)) }
    }
}

impl Pace {
    /// Waits until `instances` more may be given out, behind those who came before.
    pub async fn turn(&self, instances: u32) {
        // It is closed never.
        if let Ok(permits) = self.permits.acquire_many(instances).await {
            permits.forget();
        }
    }

    /// Adds permits for as long as the server runs. `is_planning`: whether evaluations wait for the planner.
    pub async fn run(&self, is_planning: impl Fn() -> bool) {
        let mut rate = RATE_MAX;
        loop {
            let due = Instant::now() + TICK;
            sleep_until(due).await;
            rate = next_rate(rate, due.elapsed(), if is_planning() { RATE_WHILE_PLANNING } else { RATE_MAX });
            let wanted = of_a_tick(rate).saturating_sub(self.permits.available_permits());
            self.permits.add_permits(wanted);
        }
    }
}

/// The rate after a tick that came so late, where it may be `most`.
fn next_rate(rate: u32, late: Duration, most: u32) -> u32 {
    let next = if late > LATE { (rate / 2).max(RATE_MIN) } else { rate + GROWTH };
    next.min(most)
}

/// Permits of one tick.
fn of_a_tick(rate: u32) -> usize {
    (rate / (1000 / TICK.as_millis() as u32)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_halves_down_to_its_limit_while_timers_are_late_and_grows_back_while_they_are_not() {
        let next = |rate, late| next_rate(rate, late, RATE_MAX);
        assert_eq!(next(RATE_MAX, LATE), RATE_MAX);
        let late = LATE + Duration::from_nanos(1);
        assert_eq!(next(RATE_MAX, late), RATE_MAX / 2);
        assert_eq!(next(2 * RATE_MIN, late), RATE_MIN);
        assert_eq!(next(RATE_MIN, late), RATE_MIN);
        assert_eq!(next(RATE_MIN, LATE), RATE_MIN + GROWTH);
        assert_eq!(next(RATE_MAX - 1, Duration::ZERO), RATE_MAX);
    }

    #[test]
    fn while_evaluations_wait_for_the_planner_the_rate_stays_below_a_limit() {
        assert_eq!(next_rate(RATE_MAX, Duration::ZERO, RATE_WHILE_PLANNING), RATE_WHILE_PLANNING);
        assert_eq!(next_rate(RATE_WHILE_PLANNING, Duration::ZERO, RATE_WHILE_PLANNING), RATE_WHILE_PLANNING);
        assert_eq!(next_rate(RATE_MIN, Duration::ZERO, RATE_WHILE_PLANNING), RATE_MIN + GROWTH);
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_few_and_who_wants_many_has_them_in_their_turn() {
        let pace = Pace::default();
        let begin = Instant::now();
        let of_one_tick = of_a_tick(RATE_MAX) as u32;
        let asks = async {
            pace.turn(0).await;
            pace.turn(of_one_tick).await;
            assert_eq!(begin.elapsed(), Duration::ZERO);
            pace.turn(3 * of_one_tick).await;
            assert!((3 * TICK..4 * TICK).contains(&begin.elapsed()), "{:?}", begin.elapsed());
        };
        tokio::select! {
            () = asks => {}
            () = pace.run(|| false) => {}
        }
    }
}
