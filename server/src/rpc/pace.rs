//! How fast new work is given out to agents: as fast as they and this server keep up with what comes of it.
//!
//! Every instance that an agent begins comes back as observations, each of which goes through the log. A hundred thousand
//! at once would leave no time for beats, so that nodes would seem lost, nor for the planner. So who gives out new work
//! takes a permit for each instance. They come at a rate that halves while this server's own timers are late, or the beats
//! of its agents, and grows again while they are not; where they are never late, nobody ever waits. While evaluations wait
//! to be planned it is lower too: what is decided later begins later, and agents have work meanwhile.

use std::sync::atomic::{AtomicU32, Ordering};
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
/// A timer that is later than this is too late.
const LATE: Duration = Duration::from_millis(20);
/// A beat that is later than this is too late: long before its node is suspect, which takes three intervals.
const LATE_BEAT: Duration = Duration::from_millis(250);
/// Share of late beats, in percent, beyond which agents do not keep up: one host that has trouble of its own is not meant,
/// except where there are few.
const LATE_BEATS_PERCENT: u32 = 10;
/// By so much the rate grows from one tick to the next.
const GROWTH: u32 = RATE_MAX / 100;

/// Gives out permits for new work.
pub(crate) struct Pace {
    permits: Semaphore,
    /// Beats since the last tick.
    beats: AtomicU32,
    /// How many of them were late.
    late_beats: AtomicU32,
}

impl Default for Pace {
    fn default() -> Self {
        let permits = Semaphore::new(of_a_tick(RATE_MAX));
        Self { permits, beats: AtomicU32::new(0), late_beats: AtomicU32::new(0) }
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

    /// An agent that beats each `interval` did so `after` its last beat.
    pub fn beat(&self, after: Duration, interval: Duration) {
        self.beats.fetch_add(1, Ordering::Relaxed);
        if after > interval + LATE_BEAT {
            self.late_beats.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Whether too many of the beats since the last time were late.
    fn are_beats_late(&self) -> bool {
        let [beats, late] = [&self.beats, &self.late_beats].map(|number| number.swap(0, Ordering::Relaxed));
        late * 100 > beats * LATE_BEATS_PERCENT
    }

    /// Adds permits for as long as the server runs. `is_planning`: whether evaluations wait for the planner.
    pub async fn run(&self, is_planning: impl Fn() -> bool) {
        let mut rate = RATE_MAX;
        loop {
            let due = Instant::now() + TICK;
            sleep_until(due).await;
            let is_late = self.are_beats_late() || due.elapsed() > LATE;
            rate = next_rate(rate, is_late, if is_planning() { RATE_WHILE_PLANNING } else { RATE_MAX });
            let wanted = of_a_tick(rate).saturating_sub(self.permits.available_permits());
            self.permits.add_permits(wanted);
        }
    }
}

/// The rate after a tick, where it may be `most`. `is_late`: whether this server or its agents do not keep up.
fn next_rate(rate: u32, is_late: bool, most: u32) -> u32 {
    let next = if is_late { (rate / 2).max(RATE_MIN) } else { rate + GROWTH };
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
    fn the_rate_halves_down_to_its_limit_while_something_is_late_and_grows_back_while_nothing_is() {
        let next = |rate, is_late| next_rate(rate, is_late, RATE_MAX);
        assert_eq!(next(RATE_MAX, false), RATE_MAX);
        assert_eq!(next(RATE_MAX, true), RATE_MAX / 2);
        assert_eq!(next(2 * RATE_MIN, true), RATE_MIN);
        assert_eq!(next(RATE_MIN, true), RATE_MIN);
        assert_eq!(next(RATE_MIN, false), RATE_MIN + GROWTH);
        assert_eq!(next(RATE_MAX - 1, false), RATE_MAX);
    }

    #[test]
    fn beats_are_late_where_more_than_a_share_of_them_came_later_than_a_limit() {
        let pace = Pace::default();
        let interval = Duration::from_secs(1);
        let beats = |late: u32| {
            for number in 0..100 {
                let excess = if number < late { Duration::from_nanos(1) } else { Duration::ZERO };
                pace.beat(interval + LATE_BEAT + excess, interval);
            }
            pace.are_beats_late()
        };
        assert!(!pace.are_beats_late(), "none came");
        assert!(!beats(LATE_BEATS_PERCENT));
        assert!(beats(LATE_BEATS_PERCENT + 1));
        assert!(!pace.are_beats_late(), "those of before do not count again");
    }

    #[test]
    fn while_evaluations_wait_for_the_planner_the_rate_stays_below_a_limit() {
        assert_eq!(next_rate(RATE_MAX, false, RATE_WHILE_PLANNING), RATE_WHILE_PLANNING);
        assert_eq!(next_rate(RATE_WHILE_PLANNING, false, RATE_WHILE_PLANNING), RATE_WHILE_PLANNING);
        assert_eq!(next_rate(RATE_MIN, false, RATE_WHILE_PLANNING), RATE_MIN + GROWTH);
    }

    #[tokio::test(start_paused = true)]
    async fn while_beats_are_late_permits_come_slowly() {
        let pace = Pace::default();
        let begin = Instant::now();
        let interval = Duration::from_secs(1);
        let asks = async {
            pace.turn(of_a_tick(RATE_MAX) as u32).await;
            pace.turn(RATE_MIN).await;
            begin.elapsed()
        };
        let beats = async {
            loop {
                pace.beat(2 * interval, interval);
                tokio::time::sleep(TICK / 2).await;
            }
        };
        let took = tokio::select! {
            took = asks => took,
            () = pace.run(|| false) => unreachable!("it runs for ever"),
            () = beats => unreachable!("they come for ever"),
        };
        // What comes before the rate is down to its least is that of a few ticks.
        assert!((TICK..=Duration::from_secs(1)).contains(&took), "{took:?}");
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
