//! What must always hold, each invariant in a file of its own that bears its number; computed from scratch, with none of the
//! arithmetic that `apply` uses.
//!
//! There are four kinds, by what they look at:
//!
//! ```text
//! one state               check(state)            ports given twice, names wanted twice, instances not listed …
//! one entry               check_step(step)        state before, entry, answer, state after: who may change what, overfull nodes
//! a state left in peace   check_settled(..)       nothing is stuck, and every "no" is true
//! what was seen over time the watches             acknowledged writes, servers against servers, containers, answers, beats
//! ```
//!
//! [`Auditor`] holds them together for whoever sees entries being applied: a simulation, a test of processes. None of them
//! has a clock: time is a parameter. I12, I37 and I38 are not among them: whether copies overlap in real time, whether
//! every request is authorized and where secrets appear is seen elsewhere.

mod auditor;
mod step;

mod consensus;
mod consistent;
mod grants;
mod volumes;

mod i01_acknowledged;
mod i02_same_everywhere;
mod i03_restored;
mod i04_indexes;
mod i05_capacity;
mod i06_pure;
mod i07_parents;
mod i08_ports;
mod i09_unique_names;
mod i10_transitions;
mod i11_ends_once;
mod i13_survivors;
mod i14_leftovers;
mod i15_orphans;
mod i16_agent_restarts;
mod i17_servers_away;
mod i18_reschedules;
mod i19_reasons;
mod i20_evaluations;
mod i21_repeatable;
mod i22_drain_pace;
mod i23_drain_ends;
mod i24_closed_nodes;
mod i25_rollout_pace;
mod i26_rollout_ends;
mod i27_preemption;
mod i28_heard;
mod i29_silent;
mod i30_brake;
mod i31_identity;
mod i32_gone_unlisted;
mod i33_well_listed;
mod i34_farewell;
mod i35_terms;
mod i36_stream;

#[cfg(test)]
mod fixture;

use std::fmt;

use model::Timestamp;
use server_core::state::State;

pub use auditor::Auditor;
pub use consensus::{Consensus, Position};
pub use i01_acknowledged::Acknowledged;
pub use i02_same_everywhere::{Agreement, STATES_COMPARED_EVERY};
pub use i03_restored::check as check_restored;
pub use i04_indexes::{Answered, Indexes};
pub use i06_pure::check as check_pure;
pub use i11_ends_once::Ends;
pub use i13_survivors::Survivors;
pub use i14_leftovers::{Leftovers, STOPS_WITHIN};
pub use i15_orphans::{ORPHAN_KEPT_MAX, Orphans};
pub use i16_agent_restarts::{AgentRestarts, TOLD_WITHIN, Unexplained};
pub use i17_servers_away::ServersAway;
pub use i21_repeatable::check as check_repeatable;
pub use i28_heard::Heard;
pub use i29_silent::Silent;
pub use i30_brake::Brake;
pub use i32_gone_unlisted::GoneUnlisted;
pub use i33_well_listed::WellListed;
pub use i34_farewell::Farewells;
pub use i36_stream::Stream;
pub use step::{Container, Step};

/// Something that must never be, and is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The invariant's name.
    pub invariant: &'static str,
    /// What is wrong, with names and numbers.
    pub what: String,
}

impl Violation {
    fn new(invariant: &'static str, what: impl Into<String>) -> Self {
        Self { invariant, what: what.into() }
    }

    /// The invariant's number; none for those that have only a name.
    pub fn number(&self) -> Option<u8> {
        NUMBERS.iter().find(|(_, name)| *name == self.invariant).map(|(number, _)| *number)
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.number() {
            Some(number) => write!(f, "I{number} {}: {}", self.invariant, self.what),
            None => write!(f, "{}: {}", self.invariant, self.what),
        }
    }
}

/// The numbers that invariants are known by, each with its name.
pub const NUMBERS: [(u8, &str); 35] = [
    (1, i01_acknowledged::NAME),
    (2, i02_same_everywhere::NAME),
    (3, i03_restored::NAME),
    (4, i04_indexes::NAME),
    (5, i05_capacity::NAME),
    (6, i06_pure::NAME),
    (7, i07_parents::NAME),
    (8, i08_ports::NAME),
    (9, i09_unique_names::NAME),
    (10, i10_transitions::NAME),
    (11, i11_ends_once::NAME),
    (13, i13_survivors::NAME),
    (14, i14_leftovers::NAME),
    (15, i15_orphans::NAME),
    (16, i16_agent_restarts::NAME),
    (17, i17_servers_away::NAME),
    (18, i18_reschedules::NAME),
    (19, i19_reasons::NAME),
    (20, i20_evaluations::NAME),
    (21, i21_repeatable::NAME),
    (22, i22_drain_pace::NAME),
    (23, i23_drain_ends::NAME),
    (24, i24_closed_nodes::NAME),
    (25, i25_rollout_pace::NAME),
    (26, i26_rollout_ends::NAME),
    (27, i27_preemption::NAME),
    (28, i28_heard::NAME),
    (29, i29_silent::NAME),
    (30, i30_brake::NAME),
    (31, i31_identity::NAME),
    (32, i32_gone_unlisted::NAME),
    (33, i33_well_listed::NAME),
    (34, i34_farewell::NAME),
    (35, i35_terms::NAME),
    (36, i36_stream::NAME),
];

/// Everything that is wrong with `state` by itself.
pub fn check(state: &State) -> Vec<Violation> {
    let mut violations = Vec::new();
    volumes::check(state, &mut violations);
    i08_ports::check(state, &mut violations);
    grants::check(state, &mut violations);
    i09_unique_names::check(state, &mut violations);
    i07_parents::check(state, &mut violations);
    i31_identity::check(state, &mut violations);
    i32_gone_unlisted::check(state, &mut violations);
    i33_well_listed::check(state, &mut violations);
    consistent::check(state, &mut violations);
    violations
}

/// What is held on a node beyond what it has, and was not held there `before`.
pub fn check_capacity(before: &State, after: &State) -> Vec<Violation> {
    let mut violations = Vec::new();
    i05_capacity::check(before, after, &mut violations);
    violations
}

/// Everything that is wrong with how an entry changed the state. Looks only at what it changed.
pub fn check_step(step: &Step<'_>) -> Vec<Violation> {
    let mut violations = Vec::new();
    i05_capacity::check_step(step, &mut violations);
    i10_transitions::check(step, &mut violations);
    i11_ends_once::check(step, &mut violations);
    i13_survivors::check(step, &mut violations);
    i18_reschedules::check(step, &mut violations);
    i20_evaluations::check(step, &mut violations);
    i22_drain_pace::check(step, &mut violations);
    i23_drain_ends::check(step, &mut violations);
    i24_closed_nodes::check(step, &mut violations);
    i25_rollout_pace::check(step, &mut violations);
    i26_rollout_ends::check(step, &mut violations);
    i27_preemption::check(step, &mut violations);
    i31_identity::check_step(step, &mut violations);
    i35_terms::check(step, &mut violations);
    violations
}

/// Everything that should have come to rest in `state` by `now`, and has not; and every reason given for what is missing that
/// is not true. Of a cluster whose faults have ended, and that had time since.
pub fn check_settled(state: &State, now: Timestamp) -> Vec<Violation> {
    let mut violations = Vec::new();
    i19_reasons::check(state, &mut violations);
    i20_evaluations::check_settled(state, now, &mut violations);
    i23_drain_ends::check_settled(state, now, &mut violations);
    i26_rollout_ends::check_settled(state, now, &mut violations);
    violations
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_invariant_but_three_has_a_number_and_a_file() {
        let listed: BTreeSet<u8> = NUMBERS.iter().map(|(number, _)| *number).collect();
        let wanted: BTreeSet<u8> = (1..=38).filter(|number| ![12, 37, 38].contains(number)).collect();
        assert_eq!(listed, wanted);
        let names: BTreeSet<_> = NUMBERS.iter().map(|(_, name)| *name).collect();
        assert_eq!(names.len(), NUMBERS.len(), "no two have one name");
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let files: BTreeSet<u8> = std::fs::read_dir(folder)
            .unwrap()
            .filter_map(|entry| entry.unwrap().file_name().to_str()?.strip_prefix('i')?.get(..2)?.parse().ok())
            .collect();
        assert_eq!(files, wanted);
    }

    #[test]
    fn a_violation_says_its_number() {
        let violation = Violation::new(i05_capacity::NAME, "too much");
        assert_eq!(violation.to_string(), "I5 capacity: too much");
        assert_eq!(Violation::new("heals", "not").to_string(), "heals: not");
    }
}
