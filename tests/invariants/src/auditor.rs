//! Sees every entry that every server of a cluster applies, and holds it against all invariants that need no more than that.

use std::collections::BTreeMap;

use model::{EvaluationStatus, Index, ServerId, Term, Timestamp};
use server_core::apply::Applied;
use server_core::command::Entry;
use server_core::state::State;

use super::{
    Agreement, Brake, GoneUnlisted, Step, Survivors, Violation, WellListed, check, check_pure, check_repeatable,
    check_restored, check_settled, check_step,
};

/// What costs as much as a snapshot is looked at once in so many entries.
const SNAPSHOT_EVERY: Index = 64;

/// Holds what servers do against the invariants. Each entry is judged when the first server applies it; the others must only
/// come to the same.
#[derive(Default)]
pub struct Auditor {
    agreement: Agreement,
    states: BTreeMap<ServerId, State>,
    survivors: Survivors,
    brake: Brake,
    /// For whoever asks the catalog.
    pub gone: GoneUnlisted,
    /// For whoever asks the catalog.
    pub well: WellListed,
}

impl Auditor {
    /// A server applied an entry, which led to `after`.
    #[expect(clippy::too_many_arguments, reason = "it is what a witness is shown")]
    pub fn applied(
        &mut self,
        server: ServerId,
        now: Timestamp,
        index: Index,
        term: Term,
        entry: &Entry,
        applied: &Applied,
        after: &State,
    ) -> Vec<Violation> {
        let before = self.states.insert(server, after.clone()).unwrap_or_default();
        let step = Step { index, term, entry, applied, before: &before, after };
        let (is_first, mut violations) = self.agreement.applied(server, &step);
        if !is_first {
            return violations;
        }
        violations.extend(check(after));
        violations.extend(check_step(&step));
        violations.extend(self.brake.applied(&step));
        self.gone.sees(now, after);
        self.well.sees(now, after);
        if index.is_multiple_of(SNAPSHOT_EVERY) {
            violations.extend(check_restored(after));
            violations.extend(check_pure(&step));
            if let Some(evaluation) = after.open_evaluations(EvaluationStatus::Pending).next() {
                violations.extend(check_repeatable(after, evaluation, entry.at));
            }
        }
        violations
    }

    /// A server begins, or goes on, from a snapshot.
    pub fn restored(&mut self, server: ServerId, state: &State) -> Vec<Violation> {
        self.states.insert(server, state.clone());
        self.agreement.restored(server, state)
    }

    /// A server ends: what it applied since its snapshot it applies again.
    pub fn ended(&mut self, server: ServerId) {
        self.states.remove(&server);
        self.agreement.ended(server);
    }

    /// The cluster had its time without faults: nothing is stuck any more. To be told again and again while it rests.
    pub fn settled(&mut self, now: Timestamp, state: &State) -> Vec<Violation> {
        let mut violations = check(state);
        violations.extend(check_settled(state, now));
        violations.extend(check_restored(state));
        violations.extend(self.survivors.sees(now, state));
        violations
    }
}

#[cfg(test)]
mod tests {
    use model::testing::job;
    use server_core::apply::advance;

    use super::*;
    use crate::STATES_COMPARED_EVERY;
    use crate::fixture::{START, after, bend, cluster, ids, plan, register};

    #[test]
    fn servers_that_do_the_same_are_fine_and_one_that_does_not_is_found() {
        let mut state = cluster();
        let mut auditor = Auditor::default();
        for server in 1..=3 {
            assert_eq!(auditor.restored(server, &state), []);
        }
        register(&mut state, job("other").count(3));
        // The plan's index is one at which states are compared.
        let (index, term) = (state.index().next_multiple_of(STATES_COMPARED_EVERY), state.term());
        advance(&mut state, index + STATES_COMPARED_EVERY - 1, term);
        let registered = state.clone();
        let played = plan(&mut state);
        let mut show = |server, after: &State| {
            auditor.restored(server, &registered);
            auditor.applied(server, START, played.index, played.term, &played.entry, &played.applied, after)
        };
        assert_eq!(show(1, &played.after), []);
        assert_eq!(show(2, &played.after), []);
        let bent = bend(&played.after, ids(&state)[0], |known| known.index = 7);
        let found = show(3, &bent);
        assert!(found.iter().all(|known| known.what.contains("another state")) && found.len() == 1, "{found:?}");
        auditor.ended(3);
        assert_eq!(auditor.settled(after(1), &state), []);
    }
}
