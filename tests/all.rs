//! The one test binary of this crate.

#[path = "tests/bench.rs"]
mod bench;
#[path = "tests/chaos.rs"]
mod chaos;
#[path = "tests/end_to_end.rs"]
mod end_to_end;
#[path = "tests/members.rs"]
mod members;
#[cfg(feature = "old-bugs")]
#[path = "tests/old_bugs.rs"]
mod old_bugs;
#[path = "tests/simulation.rs"]
mod simulation;
#[path = "tests/tidy.rs"]
mod tidy;
