//! Whether a task that ended runs again on its node, and when: Nomad's rules of the `restart` block.
//!
//! Attempts are counted per interval; when they are used up, the mode decides between giving up and waiting for the
//! next interval. Called by the task's state machine only; restarts that a person asks for are not counted and do not
//! come here.

use std::time::Duration;

use model::{Restart, RestartMode, Timestamp};
use serde::{Deserialize, Serialize};

/// What has been counted in the current interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Tracker {
    /// Ends in the interval.
    pub attempts: u32,
    /// When the interval began; none before the first end.
    pub began: Option<Timestamp>,
}

/// How a task ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// With code 0.
    Well,
    /// With another code, a signal, out of memory, or a start that may succeed next time.
    Badly,
    /// In a way that no restart can mend, such as a wrong setting.
    Hopelessly,
}

/// What follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It has done its work.
    Complete,
    /// It runs again at that time.
    Again {
        /// When.
        at: Timestamp,
        /// Why then, in words.
        reason: String,
    },
    /// It failed for good.
    GiveUp {
        /// Why, in words.
        reason: String,
    },
}

/// What follows the end of a task. `completes` says that code 0 means done (batch jobs and hooks that are not
/// sidecars); a service that ends well is restarted like one that fails. `jitter` adds up to a quarter to the delay,
/// 65,535 being all of it.
pub fn after_end(
    tracker: Tracker,
    rules: &Restart,
    completes: bool,
    ending: Ending,
    jitter: u16,
    now: Timestamp,
) -> (Tracker, Verdict) {
    match ending {
        Ending::Hopelessly => return (tracker, Verdict::GiveUp { reason: "the error is not one that passes".into() }),
        Ending::Well if completes || rules.attempts == 0 => return (tracker, Verdict::Complete),
        Ending::Well | Ending::Badly => {}
    }
    if rules.attempts == 0 {
        return (tracker, Verdict::GiveUp { reason: "the restart policy allows no restarts".into() });
    }
    let began = match tracker.began {
        Some(began) if now < began + rules.interval => began,
        _ => now,
    };
    let attempts = if tracker.began == Some(began) { tracker.attempts + 1 } else { 1 };
    let tracker = Tracker { attempts, began: Some(began) };
    if attempts <= rules.attempts {
        let extra = rules.delay.mul_f64(0.25).as_nanos() as u64 / u64::from(u16::MAX) * u64::from(jitter);
        let at = now + rules.delay + Duration::from_nanos(extra);
        return (tracker, Verdict::Again { at, reason: "restart within policy".into() });
    }
    let counted = format!("{} restarts in {:?} are used up", rules.attempts, rules.interval);
    match rules.mode {
        RestartMode::Fail => (tracker, Verdict::GiveUp { reason: format!("{counted}, and the mode is fail") }),
        RestartMode::Delay => {
            let at = began + rules.interval;
            (tracker, Verdict::Again { at, reason: format!("{counted}: waits for the next interval") })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ends at the given seconds, each with its outcome: `done`, `@second` of the next start, or `fail`.
    fn check(attempts: u32, mode: RestartMode, completes: bool, rows: &[(i64, Ending, &str)]) {
        let (interval, delay) = (Duration::from_secs(60), Duration::from_secs(4));
        let rules = Restart { attempts, interval, delay, mode, ..Restart::default() };
        let mut tracker = Tracker::default();
        for (second, ending, expected) in rows {
            let (next, verdict) = after_end(tracker, &rules, completes, *ending, 0, Timestamp::from_seconds(*second));
            tracker = next;
            let outcome = match verdict {
                Verdict::Complete => "done".to_string(),
                Verdict::Again { at, .. } => format!("@{}", at.since(Timestamp::default()).as_secs()),
                Verdict::GiveUp { .. } => "fail".to_string(),
            };
            assert_eq!(outcome, *expected, "end at {second} s");
        }
    }

    use Ending::{Badly, Hopelessly, Well};
    use RestartMode::{Delay, Fail};

    #[test]
    fn mode_fail_gives_up_after_the_attempts_of_an_interval() {
        check(2, Fail, false, &[(0, Badly, "@4"), (10, Badly, "@14"), (20, Badly, "fail")]);
    }

    #[test]
    fn mode_delay_waits_for_the_next_interval_and_counts_anew() {
        check(1, Delay, false, &[(0, Badly, "@4"), (10, Badly, "@60"), (61, Badly, "@65"), (70, Badly, "@121")]);
    }

    #[test]
    fn an_interval_that_is_over_forgets() {
        check(1, Fail, false, &[(0, Badly, "@4"), (60, Badly, "@64"), (119, Badly, "fail")]);
    }

    #[test]
    fn work_that_completes_ends_at_code_zero_and_a_service_does_not() {
        check(3, Fail, true, &[(0, Well, "done")]);
        check(3, Fail, false, &[(0, Well, "@4")]);
    }

    #[test]
    fn without_attempts_nothing_runs_again() {
        check(0, Fail, false, &[(0, Badly, "fail")]);
        check(0, Delay, false, &[(0, Badly, "fail")]);
        check(0, Fail, false, &[(0, Well, "done")]);
    }

    #[test]
    fn what_cannot_be_mended_is_not_tried_again() {
        check(5, Delay, true, &[(0, Hopelessly, "fail")]);
    }

    #[test]
    fn jitter_adds_at_most_a_quarter() {
        let rules = Restart { delay: Duration::from_secs(4), ..Restart::default() };
        let (_, verdict) = after_end(Tracker::default(), &rules, false, Badly, u16::MAX, Timestamp::default());
        let Verdict::Again { at, .. } = verdict else { panic!("it restarts") };
        let delay = at.since(Timestamp::default());
        assert!(delay > Duration::from_millis(4990) && delay <= Duration::from_secs(5), "{delay:?}");
    }
}
