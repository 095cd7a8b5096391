//! What is derived (use of nodes, catalog, indexes) is what would be derived anew.

use server_core::state::State;

use super::Violation;

pub(super) fn check(state: &State, violations: &mut Vec<Violation>) {
    if !state.is_consistent() {
        let what = format!("at index {}", state.index());
        violations.push(Violation { invariant: "derived state", what });
    }
}
