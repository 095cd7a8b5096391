//! One demanding test at a time: tests of one binary run side by side, but those that measure time against real
//! processes, and those that take a whole core, must not disturb each other. Called by them at their beginning.

use std::sync::{Mutex, MutexGuard, PoisonError};

static MACHINE: Mutex<()> = Mutex::new(());

/// Waits until no other demanding test runs; the machine is the caller's until the guard is dropped. A test that
/// failed before does not matter to the next.
pub fn alone() -> MutexGuard<'static, ()> {
    MACHINE.lock().unwrap_or_else(PoisonError::into_inner)
}
