//! Whether servers still have the same state: a chain of hashes over what they applied, and at some indexes the hash of all
//! that the state holds, held against what others say.
//!
//! ```text
//!   chain(i) = BLAKE3(chain(i - 1) ‖ index ‖ term ‖ entry ‖ answer)          after every entry
//!   a mark   = chain and hash of the encoded state                           at every thousandth index, fewer of large states
//! ```
//!
//! The chain costs one hash over bytes that are at hand. What it can't see, a state that changed behind the back of entries,
//! the hash of the state does; that one is computed beside, on a copy-on-write handle. Each server tells the leader of its
//! marks; where a majority agrees, whoever has something else is wrong, be it the leader.

use std::collections::BTreeMap;

use model::{Index, ServerId, Term};
use serde::{Deserialize, Serialize};

use crate::limits::{MARK_EVERY, MARK_ROWS, MARKS_KEPT};
use crate::state::State;

/// Bytes of a hash.
type Hash = [u8; 32];

/// The chain of what one server applied. Goes on after a restart and in snapshots.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Chain {
    /// The index after which it began: chains are comparable only if they began together.
    since: Index,
    value: Hash,
}

impl Chain {
    /// The chain that begins after `index`.
    pub fn since(index: Index) -> Self {
        Self { since: index, value: Hash::default() }
    }

    /// Follows an entry, as it stands in the log, with the answer to it.
    pub fn follow(&mut self, index: Index, term: Term, entry: &[u8], answer: &[u8]) {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.value);
        for number in [index, term, entry.len() as u64] {
            hasher.update(&number.to_le_bytes());
        }
        hasher.update(entry).update(answer);
        self.value = *hasher.finalize().as_bytes();
    }

    /// Whether this is the chain that no entry was followed by.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Whether the state at its index is compared between servers.
pub fn is_marked(state: &State) -> bool {
    let rows = state.allocation_count() as u64 / MARK_ROWS;
    state.index() > 0 && state.index().is_multiple_of(MARK_EVERY * (1 + rows))
}

/// What one server had after the entry at an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// The index.
    pub index: Index,
    /// What led there.
    pub chain: Chain,
    /// The hash of the encoded state.
    pub state: Hash,
}

impl Mark {
    /// The mark of `state`, to which `chain` led. Costs as much as a snapshot.
    pub fn of(state: &State, chain: Chain) -> Self {
        Self { index: state.index(), chain, state: *blake3::hash(&state.encode()).as_bytes() }
    }

    /// Whether two servers had the same.
    fn agrees(&self, other: &Mark) -> bool {
        let is_same_chain = self.chain.since != other.chain.since || self.chain.value == other.chain.value;
        self.state == other.state && is_same_chain
    }
}

/// What the leader knows of the newest marks.
#[derive(Clone, Debug, Default)]
pub struct Marks {
    known: BTreeMap<Index, BTreeMap<ServerId, Mark>>,
}

/// Who has something else than a majority.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// All that is known agrees.
    Agrees,
    /// Some differ, and no majority is known yet.
    Undecided {
        /// The index.
        index: Index,
    },
    /// A majority agrees, and these servers have something else.
    Wrong {
        /// The index.
        index: Index,
        /// They.
        servers: Vec<ServerId>,
    },
}

impl Marks {
    /// A server says what it had; what follows from that, where so many `voters` decide.
    pub fn told(&mut self, server: ServerId, mark: Mark, voters: usize) -> Verdict {
        let index = mark.index;
        self.known.entry(index).or_default().insert(server, mark);
        while self.known.len() > MARKS_KEPT {
            self.known.pop_first();
        }
        let Some(known) = self.known.get(&index) else { return Verdict::Agrees };
        if known.values().all(|one| one.agrees(&mark)) {
            return Verdict::Agrees;
        }
        let supporters = |of: &Mark| known.values().filter(|other| other.agrees(of)).count();
        let Some(right) = known.values().find(|one| supporters(one) > voters / 2) else {
            return Verdict::Undecided { index };
        };
        let wrong = known.iter().filter(|(_, other)| !other.agrees(right)).map(|(server, _)| *server);
        Verdict::Wrong { index, servers: wrong.collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(index: Index, state: u8) -> Mark {
        Mark { index, chain: Chain::default(), state: [state; 32] }
    }

    #[test]
    fn whoever_differs_from_a_majority_is_wrong_be_it_the_first() {
        let mut marks = Marks::default();
        assert_eq!(marks.told(1, mark(1_000, 1), 3), Verdict::Agrees);
        assert_eq!(marks.told(2, mark(1_000, 2), 3), Verdict::Undecided { index: 1_000 });
        assert_eq!(marks.told(3, mark(1_000, 2), 3), Verdict::Wrong { index: 1_000, servers: vec![1] });
        assert_eq!(marks.told(1, mark(2_000, 1), 3), Verdict::Agrees, "each index is judged by itself");
    }

    #[test]
    fn states_are_compared_less_often_where_there_are_as_many_allocations_as_the_limit() {
        let mut state = State::default();
        let mut is_marked_at = |allocations: u64, index: Index| {
            for at in state.allocation_count() as u64..allocations {
                let id = model::AllocationId::derive(&[&at.to_le_bytes()]);
                let (cohort, node) = (model::Cohort::default().into(), model::NodeId::default());
                state.add_allocation(model::Allocation::placed(id, cohort, node, "n1".into()), false);
            }
            crate::apply::advance(&mut state, index, 1);
            is_marked(&state)
        };
        let before = MARK_ROWS - 1;
        assert_eq!([999, 1_000, 2_000].map(|index| is_marked_at(before, index)), [false, true, true]);
        assert_eq!([1_000, 2_000].map(|index| is_marked_at(MARK_ROWS, index)), [false, true]);
    }

    #[test]
    fn of_two_servers_that_differ_nobody_knows_who_is_wrong() {
        let mut marks = Marks::default();
        marks.told(1, mark(1_000, 1), 2);
        assert_eq!(marks.told(2, mark(1_000, 2), 2), Verdict::Undecided { index: 1_000 });
    }

    #[test]
    fn chains_differ_in_whatever_differs_and_only_if_they_began_together() {
        let chain = |since, index, term, entry: &[u8], answer: &[u8]| {
            let mut chain = Chain::since(since);
            chain.follow(index, term, entry, answer);
            Mark { chain, ..mark(1_000, 1) }
        };
        let known = chain(0, 1, 1, b"entry", b"answer");
        assert!(known.agrees(&chain(0, 1, 1, b"entry", b"answer")));
        for other in [
            chain(0, 2, 1, b"entry", b"answer"),
            chain(0, 1, 2, b"entry", b"answer"),
            chain(0, 1, 1, b"other", b"answer"),
            chain(0, 1, 1, b"entry", b"other"),
            chain(0, 1, 1, b"entrya", b"nswer"),
        ] {
            assert!(!known.agrees(&other), "{other:?}");
        }
        assert!(known.agrees(&chain(7, 8, 1, b"other", b"answer")), "one that began later says nothing");
    }

    #[test]
    fn as_many_marks_are_kept_as_the_limit() {
        let mut marks = Marks::default();
        for index in 1..=MARKS_KEPT as Index {
            marks.told(1, mark(index, 1), 3);
        }
        assert!(marks.known.contains_key(&1));
        marks.told(1, mark(MARKS_KEPT as Index + 1, 1), 3);
        assert!(!marks.known.contains_key(&1) && marks.known.len() == MARKS_KEPT);
    }

    #[test]
    fn a_thousandth_index_is_marked() {
        let at = |index| is_marked(&State { index, ..State::default() });
        assert_eq!([0, 1, 999, 1_000, 1_001, 2_000].map(at), [false, false, false, true, false, true]);
    }

    #[test]
    fn a_snapshot_carries_the_chain_and_the_state_is_the_same_without_it() {
        let mut chain = Chain::since(0);
        chain.follow(1, 1, b"entry", b"answer");
        let mut state = State { index: 1, ..State::default() };
        let without = state.encode();
        state.put_chain(chain);
        let mut restored = State::decode(&state.encode()).unwrap();
        assert_eq!(restored.take_chain(), chain);
        assert_eq!(restored.encode(), without);
        assert!(restored.take_chain().is_empty());
    }
}
