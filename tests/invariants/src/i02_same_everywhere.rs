//! I2: every server applies the same entries in the same order, with the same answers, and has the same state after them.

use std::collections::BTreeMap;

use model::{Index, ServerId, Term};
use server_core::apply::Answer;
use server_core::command::Entry;
use server_core::state::State;

use super::{Step, Violation};

pub(super) const NAME: &str = "same everywhere";

/// Entries that are remembered for servers that come after. One that is further behind gets a snapshot, mostly.
const ENTRIES_REMEMBERED: usize = 4_096;
/// States are compared as a whole at each so many indexes: that costs as much as there is in them. What differs stays so,
/// and entries and answers are compared at each.
pub const STATES_COMPARED_EVERY: Index = 16;

/// Holds servers against each other, entry by entry.
#[derive(Debug, Default)]
pub struct Agreement {
    entries: BTreeMap<Index, Known>,
    last: BTreeMap<ServerId, Index>,
}

#[derive(Debug)]
struct Known {
    server: ServerId,
    term: Term,
    entry: Vec<u8>,
    answer: Answer,
    state: State,
}

impl Agreement {
    /// A server applied an entry. `is_first`: no other has before, so nothing is known yet of the state that it led to.
    pub fn applied(&mut self, server: ServerId, step: &Step<'_>) -> (bool, Vec<Violation>) {
        let mut violations = Vec::new();
        if let Some(last) = self.last.insert(server, step.index)
            && last >= step.index
        {
            let what = format!("server {server} applied {} after {last}", step.index);
            violations.push(Violation::new(NAME, what));
        }
        let (entry, answer) = (step.entry.encode(), &step.applied.answer);
        let Some(known) = self.entries.get(&step.index) else {
            let (term, answer, state) = (step.term, answer.clone(), step.after.clone());
            self.entries.insert(step.index, Known { server, term, entry, answer, state });
            while self.entries.len() > ENTRIES_REMEMBERED {
                self.entries.pop_first();
            }
            return (true, violations);
        };
        let differs = if known.entry != entry || known.term != step.term {
            Some(format!("another entry: {}", name_of(&known.entry)))
        } else if known.answer != *answer {
            Some(format!("another answer: {:?} and {answer:?}", known.answer))
        } else if step.index.is_multiple_of(STATES_COMPARED_EVERY) && known.state != *step.after {
            Some("another state".to_string())
        } else {
            None
        };
        if let Some(what) = differs {
            let what = format!("servers {} and {server} have at {} {what}", known.server, step.index);
            violations.push(Violation::new(NAME, what));
        }
        (false, violations)
    }

    /// A server begins anew, from a snapshot or from nothing; its state is compared where it is known what it should be.
    pub fn restored(&mut self, server: ServerId, state: &State) -> Vec<Violation> {
        self.last.insert(server, state.index());
        let known = self.entries.get(&state.index()).filter(|known| known.state != *state);
        let what = |known: &Known| {
            format!(
                "server {server} was restored at {} to another state than server {} had",
                state.index(),
                known.server
            )
        };
        known.map(|known| Violation::new(NAME, what(known))).into_iter().collect()
    }

    /// A server ends. When it starts again it applies again what its snapshot does not hold.
    pub fn ended(&mut self, server: ServerId) {
        self.last.remove(&server);
    }
}

fn name_of(entry: &[u8]) -> &'static str {
    Entry::decode(entry).map_or("one that does not decode", |entry| entry.command.name())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{bend, cluster, ids, play};
    use server_core::command::Command;

    fn entry(state: &mut State) -> crate::fixture::Played {
        play(state, Command::EvaluateJob { job: model::JobKey::new("default", "web"), force_reschedule: false })
    }

    #[test]
    fn servers_that_differ_are_found_whatever_differs() {
        let mut state = cluster();
        let mut played = entry(&mut state);
        while !played.index.is_multiple_of(STATES_COMPARED_EVERY) {
            played = entry(&mut state);
        }
        let mut agreement = Agreement::default();
        assert_eq!(agreement.applied(1, &played.step()), (true, vec![]));
        assert_eq!(agreement.applied(2, &played.step()), (false, vec![]));
        let check = |agreement: &mut Agreement, server, step: &Step<'_>, wanted: &str| {
            let (_, violations) = agreement.applied(server, step);
            assert!(violations.iter().any(|known| known.what.contains(wanted)), "{wanted}: {violations:?}");
        };
        check(&mut agreement, 3, &Step { term: 2, ..played.step() }, "another entry");
        let rejected = server_core::apply::Applied {
            answer: Answer::Rejected(server_core::apply::Rejection::NoSuchJob),
            ..played.applied.clone()
        };
        check(&mut agreement, 4, &Step { applied: &rejected, ..played.step() }, "another answer");
        let bent = bend(&played.after, ids(&state)[0], |allocation| allocation.index = 9);
        check(&mut agreement, 5, &Step { after: &bent, ..played.step() }, "another state");
        check(&mut agreement, 1, &played.step(), "applied");
        agreement.ended(1);
        assert_eq!(agreement.applied(1, &played.step()).1, [], "after a restart it applies again");
        assert_eq!(agreement.restored(2, &played.after), []);
        assert_eq!(agreement.restored(2, &bent).len(), 1);
    }
}
