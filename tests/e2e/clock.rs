//! The wall clock, to compare with the times that Docker tells.

use std::time::{SystemTime, UNIX_EPOCH};

/// Nanoseconds since 1970.
pub fn now_ns() -> i128 {
    #[expect(clippy::disallowed_methods, reason = "Docker, which runs for real, tells times of this clock")]
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is past 1970");
    i128::try_from(now.as_nanos()).expect("the number fits for ages")
}
