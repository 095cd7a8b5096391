//! Waiting for something to become true, or to stay true, by looking every 50 ms until a deadline. A test never waits
//! for a time to pass. Called by all tests.

use std::time::Duration;

use tokio::time::Instant;

/// Time between two looks.
const LOOK_INTERVAL: Duration = Duration::from_millis(50);

/// Looks until `look` gives a value, and tells how long that took. Panics with the last reason after `within`.
#[track_caller]
pub fn until<T>(what: &str, within: Duration, mut look: impl FnMut() -> Result<T, String>) -> (T, Duration) {
    let began = Instant::now();
    loop {
        match look() {
            Ok(value) => return (value, began.elapsed()),
            Err(reason) if began.elapsed() > within => panic!("{what}: not within {within:?}: {reason}"),
            Err(_) => std::thread::sleep(LOOK_INTERVAL),
        }
    }
}

/// Looks for the whole of `during`; panics as soon as `look` gives a reason why it does not hold.
#[track_caller]
pub fn holds(what: &str, during: Duration, mut look: impl FnMut() -> Result<(), String>) {
    let began = Instant::now();
    while began.elapsed() < during {
        if let Err(reason) = look() {
            panic!("{what}: broken after {:?}: {reason}", began.elapsed());
        }
        std::thread::sleep(LOOK_INTERVAL);
    }
}

/// Nothing if it is true, the reason otherwise: for the end of a look.
pub fn check(holds: bool, reason: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(reason()) }
}
