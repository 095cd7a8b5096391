//! Makes a run that fails smaller: leaves out faults, deeds and agents for as long as it still fails in the same way.

use std::collections::BTreeSet;

use super::script::numbers;
use super::settings::Settings;
use super::{Run, run};

/// Runs that are tried at most.
const ATTEMPTS_MAX: u32 = 100;

/// The run of `seed` with as much left out as could be found, and what that is. `failed` is how it fails.
pub fn shrink(seed: u64, without: &BTreeSet<u32>, failed: Run) -> (BTreeSet<u32>, Run) {
    let invariant = failed.violations.first().map(|violation| violation.invariant);
    let fails = |run: &Run| run.violations.first().map(|violation| violation.invariant) == invariant;
    let all = numbers(&Settings::of(seed));
    let (mut without, mut smallest) = (without.clone(), failed);
    let mut attempts = 0;
    let mut piece = all.len().div_ceil(2);
    loop {
        let left: Vec<u32> = all.iter().copied().filter(|number| !without.contains(number)).collect();
        let mut is_smaller = false;
        for out in left.chunks(piece.max(1)) {
            if attempts >= ATTEMPTS_MAX {
                return (without, smallest);
            }
            attempts += 1;
            let tried: BTreeSet<u32> = without.iter().chain(out).copied().collect();
            let run = run(seed, &tried);
            if fails(&run) {
                (without, smallest) = (tried, run);
                is_smaller = true;
            }
        }
        match (piece, is_smaller) {
            (1, false) => return (without, smallest),
            (1, true) => {}
            _ => piece = piece.div_ceil(2),
        }
    }
}
