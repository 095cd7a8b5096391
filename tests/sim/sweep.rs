//! Many seeds, on as many threads as there are cores, with a report that a person can read.
//!
//! A seed that fails is made smaller and printed as one command. A seed that takes for ever ends the process: nothing
//! else can end a thread.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::ops::RangeInclusive;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::coverage::Coverage;
use super::shrink::shrink;
use super::{Run, run};

/// Real time that a seed may take.
const SEED_TAKES_MAX: Duration = Duration::from_secs(600);
/// How often it is looked whether one takes longer.
const LOOK: Duration = Duration::from_millis(500);
/// Seeds after which progress is told.
const TOLD_EACH: usize = 25;
/// Lines of the timeline's end in the report of a failure.
const LAST_LINES: usize = 40;
/// Failures that are kept and told in full.
const FAILURES_KEPT: usize = 5;

/// What came of a sweep.
#[derive(Default)]
pub struct Sweep {
    /// Seeds that were run.
    pub seeds: usize,
    /// What all of them met.
    pub coverage: Coverage,
    /// The hash of each.
    pub hashes: BTreeMap<u64, String>,
    /// Every seed that failed, with how.
    pub failed: BTreeMap<u64, String>,
    /// The first that failed.
    kept: Vec<Run>,
    faults: u64,
    faults_least: Option<u32>,
    lasted_least: Option<Duration>,
    healed: Vec<Duration>,
}

struct Shared {
    sweep: Sweep,
    next: u64,
    running: BTreeMap<u64, Instant>,
}

/// Runs all seeds of a range.
pub fn sweep(seeds: RangeInclusive<u64>, threads: usize) -> Sweep {
    let last = *seeds.end();
    let shared = Mutex::new(Shared { sweep: Sweep::default(), next: *seeds.start(), running: BTreeMap::new() });
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(|| {
                while let Some(seed) = take(&shared, last) {
                    let run = run(seed, &BTreeSet::new());
                    give(&shared, run);
                }
            });
        }
        watch(&shared, last);
    });
    shared.into_inner().unwrap_or_else(PoisonError::into_inner).sweep
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

fn take(shared: &Mutex<Shared>, last: u64) -> Option<u64> {
    let mut shared = lock(shared);
    let seed = shared.next;
    if seed > last {
        return None;
    }
    shared.next += 1;
    shared.running.insert(seed, now());
    Some(seed)
}

fn give(shared: &Mutex<Shared>, run: Run) {
    let mut shared = lock(shared);
    shared.running.remove(&run.seed);
    let sweep = &mut shared.sweep;
    sweep.seeds += 1;
    sweep.coverage.add(&run.coverage);
    sweep.hashes.insert(run.seed, run.hash.clone());
    if let Some(violation) = run.violations.first() {
        eprintln!("seed {} FAILED: {violation}", run.seed);
        sweep.failed.insert(run.seed, violation.to_string());
        if sweep.kept.len() < FAILURES_KEPT {
            sweep.kept.push(run);
        }
    } else {
        sweep.faults += u64::from(run.faults);
        sweep.faults_least = Some(sweep.faults_least.map_or(run.faults, |least| least.min(run.faults)));
        sweep.lasted_least = Some(sweep.lasted_least.map_or(run.lasted, |least| least.min(run.lasted)));
        sweep.healed.extend(run.healed_after);
    }
    if sweep.seeds.is_multiple_of(TOLD_EACH) {
        eprintln!("{} seeds, {} failed", sweep.seeds, sweep.failed.len());
    }
}

/// Ends the process if a seed does not end.
fn watch(shared: &Mutex<Shared>, last: u64) {
    loop {
        std::thread::sleep(LOOK);
        let shared = lock(shared);
        if let Some((seed, _)) = shared.running.iter().find(|(_, since)| now() - **since > SEED_TAKES_MAX) {
            eprintln!("seed {seed} does not end; replay with: make sim SEED={seed}");
            std::process::exit(1);
        }
        if shared.next > last && shared.running.is_empty() {
            return;
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "how long a thread takes is real time, outside of any simulation")]
fn now() -> Instant {
    Instant::now()
}

impl Sweep {
    /// Figures, what was met, and the failures.
    pub fn report(&mut self) -> String {
        let mut text = String::new();
        let (most, nearly_all) = self.healed_within();
        let _ = writeln!(text, "{}", self.coverage);
        let _ = writeln!(
            text,
            "seeds: {}  failed: {}  faults: {} (least in a seed: {})  virtual time: at least {:?}",
            self.seeds,
            self.failed.len(),
            self.faults,
            self.faults_least.unwrap_or_default(),
            self.lasted_least.unwrap_or_default(),
        );
        let _ = writeln!(text, "healed: {} seeds, 99 % within {nearly_all:?}, all within {most:?}", self.healed.len(),);
        for (seed, what) in &self.failed {
            let _ = writeln!(text, "seed {seed}: {what}");
        }
        text
    }

    /// Within what virtual time the clusters healed when the faults ended: the longest, and that of 99 of 100.
    pub fn healed_within(&mut self) -> (Duration, Duration) {
        self.healed.sort_unstable();
        let last = self.healed.len().saturating_sub(1);
        let of = |share: usize| self.healed.get(last * share / 100).copied().unwrap_or_default();
        (of(100), of(99))
    }

    /// All faults that struck in seeds that did not fail.
    pub fn faults(&self) -> u64 {
        self.faults
    }

    /// The least faults that struck in a seed that did not fail.
    pub fn faults_least(&self) -> u32 {
        self.faults_least.unwrap_or_default()
    }

    /// Makes the first failure smaller, and tells it; nothing if none failed.
    pub fn smallest_failure(&mut self) -> Option<String> {
        self.kept.sort_by_key(|run| run.timeline.len());
        let first = self.kept.first()?.clone();
        eprintln!("seed {}: looks for a smaller run that fails in the same way", first.seed);
        let (without, run) = shrink(first.seed, &BTreeSet::new(), first);
        Some(told(&run, &without))
    }
}

/// A failure, in short: what was violated, the timeline's end, and the command that plays it again.
pub fn told(run: &Run, without: &BTreeSet<u32>) -> String {
    let lines: Vec<&str> = run.timeline.lines().collect();
    let mut text = String::new();
    for line in &lines[lines.len().saturating_sub(LAST_LINES)..] {
        let _ = writeln!(text, "{line}");
    }
    for violation in &run.violations {
        let _ = writeln!(text, "{violation}");
    }
    let _ = writeln!(text, "replay with: {}", command(run.seed, without));
    text
}

/// The command that plays a run again.
pub fn command(seed: u64, without: &BTreeSet<u32>) -> String {
    let numbers: Vec<String> = without.iter().map(u32::to_string).collect();
    let without = if numbers.is_empty() { String::new() } else { format!(" WITHOUT={}", numbers.join(",")) };
    format!("make sim SEED={seed}{without}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_one_command() {
        assert_eq!(command(42, &BTreeSet::new()), "make sim SEED=42");
        assert_eq!(command(42, &BTreeSet::from([9, 3])), "make sim SEED=42 WITHOUT=3,9");
    }
}
