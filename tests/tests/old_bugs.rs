//! Old bugs put back one at a time, each to be found within 500 ordinary seeds. Only with the feature `old-bugs`, which nothing
//! else turns on: `make old-bugs`, or `make old-bugs BUG=3` for one of them.

use model::old_bugs::OldBug;
use tests::sim::old_bugs::{SEEDS_MAX, hunt};
use tests::{bar, machine};

#[test]
fn each_old_bug_is_found_by_ordinary_seeds() {
    let _machine = machine::alone();
    let only = std::env::var("BUG").ok().filter(|text| !text.is_empty());
    let only = only.map(|text| {
        let number = text.parse().expect("BUG is a number");
        OldBug::of(number).expect("there is a bug of that number")
    });
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut missed = Vec::new();
    let bugs = OldBug::ALL.into_iter().filter(|bug| only.is_none_or(|only| only == *bug));
    let mut bugs_tried = 0;
    for bug in bugs {
        bugs_tried += 1;
        let outcome = hunt(bug, threads);
        println!("{outcome}");
        missed.extend(outcome.found.is_none().then_some(bug));
    }
    let (found, all) = (bugs_tried - missed.len(), bugs_tried);
    bar::report("R4", &format!("{found} of {all} old bugs found, each within {SEEDS_MAX} ordinary seeds"));
    assert!(missed.is_empty(), "not found: {missed:?}");
}
