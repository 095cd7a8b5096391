//! Old bugs put back one at a time: each is found by ordinary seeds, by an invariant that was not written for it.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use model::old_bugs::{self, OldBug};

use super::run;

/// In how many seeds a bug must be found.
pub const SEEDS_MAX: u64 = 500;

/// What came of one bug.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The bug.
    pub bug: OldBug,
    /// The first seed that found it, with what it found; none if none did.
    pub found: Option<(u64, String)>,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { bug, found } = self;
        write!(f, "{:>2}  {:<24}", bug.number(), format!("{bug:?}"))?;
        match found {
            Some((seed, what)) => write!(f, "  seed {seed:<4} {what}  ({})", bug.origin()),
            None => write!(f, "  NOT FOUND in {SEEDS_MAX} seeds  ({})", bug.origin()),
        }
    }
}

/// Runs seeds from 1 on with `bug` put back until one fails, on so many threads.
pub fn hunt(bug: OldBug, threads: usize) -> Outcome {
    let next = AtomicU64::new(1);
    let found: Mutex<Option<(u64, String)>> = Mutex::new(None);
    let lock = || found.lock().unwrap_or_else(PoisonError::into_inner);
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed > SEEDS_MAX || lock().is_some() {
                        return;
                    }
                    let run = old_bugs::with(bug, || run(seed, &BTreeSet::new()));
                    if let Some(violation) = run.violations.first() {
                        let mut found = lock();
                        if found.as_ref().is_none_or(|(known, _)| seed < *known) {
                            *found = Some((seed, violation.to_string()));
                        }
                    }
                }
            });
        }
    });
    let found = lock().clone();
    Outcome { bug, found }
}
