//! The benchmarks in their quick form: that they run, find every instance running, and end. Their figures mean nothing.

use tests::bench::{self, Size};
use tests::machine;

#[test]
fn the_quick_form_places_everything_and_ends() {
    let _machine = machine::alone();
    let report = bench::run(&Size::QUICK).unwrap_or_else(|reason| panic!("{reason}"));
    assert_eq!(report.void, [""; 0]);
    let report = report.to_string();
    for row in [
        "P1: 10 jobs of 20 on 30 nodes, placements per second",
        "P1: 10 jobs of 20 on 30 nodes, 20 of them with agents, placements per second",
        "P3: 10 one-task jobs/s for 2 s on 30 nodes",
    ] {
        assert!(report.contains(row), "`{row}` is missing in:\n{report}");
    }
}
