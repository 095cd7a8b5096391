//! The one test binary of this crate.

#[path = "tests/scenarios.rs"]
mod scenarios;
#[path = "tests/simulation.rs"]
mod simulation;
#[path = "tests/tidy.rs"]
mod tidy;
