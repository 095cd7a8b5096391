//! The one test binary of this crate.

#[path = "tests/simulation.rs"]
mod simulation;
#[path = "tests/tidy.rs"]
mod tidy;
