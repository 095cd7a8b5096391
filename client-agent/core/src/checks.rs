//! From probes to transitions: when a check counts as passing or failing.
//!
//! Only changes come out. To failing it goes at once when its threshold is crossed; to passing at most once in
//! [`PASSING_INTERVAL_MIN`], so that a check that flaps does not write at its own pace. Probing itself is the shell's.

use std::time::Duration;

use model::{CheckState, CheckStatus, Timestamp};
use serde::{Deserialize, Serialize};

/// Bytes of a probe's answer that are kept with a transition.
pub const CHECK_OUTPUT_BYTES_MAX: usize = 512;
/// The least time between two transitions of one check to passing.
pub const PASSING_INTERVAL_MIN: Duration = Duration::from_secs(4);

/// What one probe answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probed {
    /// Whether it passed.
    pub passed: bool,
    /// The answer, or the error.
    pub output: String,
}

/// When a check changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Thresholds {
    /// Probes that must pass in a row; 0 counts as 1.
    pub success_before_passing: u32,
    /// Probes that may fail in a row.
    pub failures_before_critical: u32,
}

/// What is known of one check.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CheckTracker {
    /// What was last made known.
    pub state: Option<CheckState>,
    /// Probes that passed in a row.
    pub passed: u32,
    /// Probes that failed in a row.
    pub failed: u32,
    passing_at: Option<Timestamp>,
}

impl CheckTracker {
    /// The status that was last made known.
    pub fn status(&self) -> CheckStatus {
        self.state.as_ref().map_or(CheckStatus::Pending, |state| state.status)
    }

    /// Counts a probe. True if the check changed.
    pub fn count(&mut self, probed: &Probed, thresholds: Thresholds, now: Timestamp) -> bool {
        if probed.passed {
            self.passed = self.passed.saturating_add(1);
            self.failed = 0;
            let enough = self.passed >= thresholds.success_before_passing.max(1);
            let recent = self.passing_at.is_some_and(|at| now < at + PASSING_INTERVAL_MIN);
            if !enough || recent || self.status() == CheckStatus::Passing {
                return false;
            }
            self.passing_at = Some(now);
            self.change(CheckStatus::Passing, probed, now)
        } else {
            self.failed = self.failed.saturating_add(1);
            self.passed = 0;
            if self.failed <= thresholds.failures_before_critical || self.status() == CheckStatus::Failing {
                return false;
            }
            self.change(CheckStatus::Failing, probed, now)
        }
    }

    /// Back to the beginning, for a task that starts anew. The moment of the last transition to passing is kept.
    pub fn restart(&mut self, now: Timestamp) {
        self.passed = 0;
        self.failed = 0;
        if self.state.is_some() {
            self.state = Some(CheckState { status: CheckStatus::Pending, at: now, output: String::new() });
        }
    }

    fn change(&mut self, status: CheckStatus, probed: &Probed, at: Timestamp) -> bool {
        self.state = Some(CheckState { status, at, output: cut(&probed.output) });
        true
    }
}

/// At most [`CHECK_OUTPUT_BYTES_MAX`] bytes, ending at a character's border.
fn cut(output: &str) -> String {
    let mut end = output.len().min(CHECK_OUTPUT_BYTES_MAX);
    while !output.is_char_boundary(end) {
        end -= 1;
    }
    output[..end].to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One probe per second: `+` passes, `-` fails. Expected: what is made known, as `second:status`.
    fn check(thresholds: Thresholds, probes: &str, expected: &str) {
        let mut tracker = CheckTracker::default();
        let mut changes = Vec::new();
        for (second, probe) in probes.chars().enumerate() {
            let probed = Probed { passed: probe == '+', output: String::new() };
            if tracker.count(&probed, thresholds, Timestamp::from_seconds(second as i64)) {
                changes.push(format!("{second}:{}", tracker.status().as_str()));
            }
        }
        assert_eq!(changes.join(" "), expected, "{probes}");
    }

    #[test]
    fn only_changes_are_made_known() {
        let at_once = Thresholds::default();
        check(at_once, "+++", "0:passing");
        check(at_once, "---", "0:failing");
        check(at_once, "++-", "0:passing 2:failing");
    }

    #[test]
    fn thresholds_count_in_a_row() {
        let slow = Thresholds { success_before_passing: 2, failures_before_critical: 2 };
        check(slow, "+-++", "3:passing");
        check(slow, "++--+--", "1:passing");
        check(slow, "++---", "1:passing 4:failing");
    }

    #[test]
    fn it_passes_again_once_the_interval_is_over_and_not_before() {
        let begin = Timestamp::from_seconds(100);
        let probed = |passed| Probed { passed, output: String::new() };
        for (wait, passes) in [(PASSING_INTERVAL_MIN - Duration::from_nanos(1), false), (PASSING_INTERVAL_MIN, true)] {
            let mut tracker = CheckTracker::default();
            assert!(tracker.count(&probed(true), Thresholds::default(), begin));
            assert!(tracker.count(&probed(false), Thresholds::default(), begin));
            assert_eq!(tracker.count(&probed(true), Thresholds::default(), begin + wait), passes, "{wait:?}");
        }
    }

    #[test]
    fn it_passes_at_most_once_in_four_seconds_and_fails_at_once() {
        check(Thresholds::default(), "+-+++-++++", "0:passing 1:failing 4:passing 5:failing 8:passing");
    }

    #[test]
    fn an_answer_is_kept_up_to_its_limit_at_a_border() {
        assert_eq!(cut(&"x".repeat(CHECK_OUTPUT_BYTES_MAX)).len(), CHECK_OUTPUT_BYTES_MAX);
        assert_eq!(cut(&"x".repeat(CHECK_OUTPUT_BYTES_MAX + 1)).len(), CHECK_OUTPUT_BYTES_MAX);
        assert_eq!(cut(&format!("{}é", "x".repeat(CHECK_OUTPUT_BYTES_MAX - 1))).len(), CHECK_OUTPUT_BYTES_MAX - 1);
    }
}
