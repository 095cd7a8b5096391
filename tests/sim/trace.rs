//! What a simulation did: a timeline for people, and the hash of every line, those of every server included.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use invariants::Violation;

use super::clock::SimClock;

/// Violations that are kept; the first says it all, as a rule.
const VIOLATIONS_MAX: usize = 10;
/// Lines that a minute may have: several times what faults and people bring about, and less than a decision that is made
/// again and again, which would have a run never end.
const LINES_A_MINUTE_MAX: u32 = 1_500;

/// Collects lines and violations.
pub struct Trace {
    clock: Arc<SimClock>,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    timeline: String,
    hasher: blake3::Hasher,
    violations: Vec<Violation>,
    /// The current minute, and the lines that it has so far.
    busy: (u64, u32),
}

impl Trace {
    /// An empty trace whose lines carry the virtual time.
    pub fn new(clock: Arc<SimClock>) -> Arc<Self> {
        Arc::new(Self { clock, kept: Mutex::default() })
    }

    /// Adds a line to the timeline.
    pub fn say(&self, line: impl std::fmt::Display) {
        let at = self.clock.elapsed_ms();
        let mut kept = self.kept();
        let from = kept.timeline.len();
        let _ = writeln!(kept.timeline, "{:>5}.{:03} {line}", at / 1000, at % 1000);
        let Kept { timeline, hasher, .. } = &mut *kept;
        hasher.update(&timeline.as_bytes()[from..]);
        let minute = at / 60_000;
        kept.busy = if kept.busy.0 == minute { (minute, kept.busy.1 + 1) } else { (minute, 1) };
        if kept.busy.1 == LINES_A_MINUTE_MAX + 1 {
            let what = format!("more than {LINES_A_MINUTE_MAX} things happen within a minute");
            kept.violations.push(Violation { invariant: "nothing goes round in circles", what });
        }
    }

    /// Adds a line that is only counted into the hash.
    pub fn whisper(&self, line: impl std::fmt::Display) {
        let line = format!("{} {line}\n", self.clock.elapsed_ms());
        self.kept().hasher.update(line.as_bytes());
    }

    /// Adds a violation.
    pub fn violate(&self, violation: Violation) {
        self.say(format_args!("VIOLATION {violation}"));
        let mut kept = self.kept();
        if kept.violations.len() < VIOLATIONS_MAX {
            kept.violations.push(violation);
        }
    }

    /// Whether something is wrong already.
    pub fn has_failed(&self) -> bool {
        !self.kept().violations.is_empty()
    }

    /// The lines for people so far.
    pub fn timeline(&self) -> String {
        self.kept().timeline.clone()
    }

    /// The hash of all lines so far, in hexadecimal digits.
    pub fn hash(&self) -> String {
        self.kept().hasher.finalize().to_hex().to_string()
    }

    /// All violations so far.
    pub fn violations(&self) -> Vec<Violation> {
        self.kept().violations.clone()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
