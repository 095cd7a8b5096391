//! Times for people: `5m3s ago`, dates in the local zone, durations.

use std::time::Duration;

use model::Timestamp;
use seams::{Clock, SystemClock};

/// What times are counted in, per second.
pub const NANOSECONDS_PER_SECOND: i64 = 1_000_000_000;

/// Now, in nanoseconds since 1970.
pub fn now() -> i64 {
    let Timestamp(nanoseconds) = SystemClock.now();
    nanoseconds
}

/// `2026-01-02T15:04:05+01:00` in the local zone.
pub fn date(nanoseconds: i64) -> String {
    match jiff::Timestamp::from_nanosecond(nanoseconds.into()) {
        Ok(time) => time.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(),
        Err(_) => "-".into(),
    }
}

/// The instant that a date in the API's text form means, in nanoseconds; none for an empty or zero date.
pub fn parse(text: &str) -> Option<i64> {
    let time: jiff::Timestamp = text.parse().ok()?;
    i64::try_from(time.as_nanosecond()).ok().filter(|nanoseconds| *nanoseconds > 0)
}

/// `5m3s ago`; `in 5m3s` where it lies ahead.
pub fn ago(nanoseconds: i64, now: i64) -> String {
    let distance = now.saturating_sub(nanoseconds);
    if distance < -NANOSECONDS_PER_SECOND {
        format!("in {}", span(distance.saturating_neg()))
    } else {
        format!("{} ago", span(distance.max(0)))
    }
}

/// The two largest units: `3d4h`, `2h5m`, `5m3s`, `12s`.
pub fn span(nanoseconds: i64) -> String {
    let seconds = nanoseconds.max(0) / NANOSECONDS_PER_SECOND;
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, _) => format!("{minutes}m{}s", seconds % 60),
        (0, _, _) => format!("{hours}h{minutes}m"),
        _ => format!("{days}d{hours}h"),
    }
}

/// `12 s`, `3 m 20 s`: how long something took.
pub fn took(duration: Duration) -> String {
    let seconds = (duration.as_millis() + 500) / 1_000;
    if seconds < 60 { format!("{seconds} s") } else { format!("{} m {} s", seconds / 60, seconds % 60) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_show_their_two_largest_units() {
        let second = NANOSECONDS_PER_SECOND;
        for (seconds, wanted) in [(0, "0s"), (59, "59s"), (303, "5m3s"), (7_500, "2h5m"), (273_600, "3d4h")] {
            assert_eq!(span(seconds * second), wanted);
        }
        assert_eq!(ago(0, 303 * second), "5m3s ago");
        assert_eq!(ago(303 * second, 0), "in 5m3s");
        assert_eq!(ago(i64::MIN, i64::MAX), "106751d23h ago");
    }

    #[test]
    fn dates_of_the_api_are_read_and_zero_means_none() {
        assert_eq!(parse("1970-01-01T00:00:01Z"), Some(NANOSECONDS_PER_SECOND));
        assert_eq!(parse("0001-01-01T00:00:00Z"), None);
        assert_eq!(parse(""), None);
    }

    #[test]
    fn durations_are_rounded_to_seconds() {
        assert_eq!(took(Duration::from_millis(11_600)), "12 s");
        assert_eq!(took(Duration::from_secs(200)), "3 m 20 s");
    }
}
