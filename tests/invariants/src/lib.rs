//! What must always hold of the state, each in a file of its own; computed from scratch, with none of the arithmetic
//! that `apply` uses.

mod capacity;
mod consistent;
mod grants;
mod ports;
mod unique_names;
mod volumes;

use std::fmt;

use server_core::state::State;

/// Something that must never be, and is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The invariant's name.
    pub invariant: &'static str,
    /// What is wrong, with names and numbers.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.invariant, self.what)
    }
}

/// Everything that is wrong with `state`.
pub fn check(state: &State) -> Vec<Violation> {
    let mut violations = Vec::new();
    capacity::check(state, &mut violations);
    volumes::check(state, &mut violations);
    ports::check(state, &mut violations);
    grants::check(state, &mut violations);
    unique_names::check(state, &mut violations);
    consistent::check(state, &mut violations);
    violations
}
