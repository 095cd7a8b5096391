//! One line on standard output per thing that happened. Docker adds the time. Called by every other module.

use std::io::Write;

/// Writes one line at once. A closed pipe is no reason to die: the service goes on without a log.
pub fn line(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}
