//! What Raft promises of where servers stand in the log. The library checks each of its own steps; this looks at all
//! servers from outside, at one moment after the other.

use std::collections::{BTreeMap, BTreeSet};

use model::{Index, ServerId, Term};

use super::Violation;

pub(super) const NAME: &str = "consensus";

/// Where a server stands. An index of 0 stands for none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// Which life of its process this is: what is not on its disk begins anew with each.
    pub life: u64,
    /// The highest term that it knows.
    pub term: Term,
    /// The last entry of its log.
    pub last_log: Index,
    /// The last entry that it knows to be committed.
    pub committed: Index,
    /// The last entry that is applied.
    pub applied: Index,
    /// The last entry that its snapshot holds.
    pub snapshot: Index,
    /// The last entry that is no longer in its log.
    pub purged: Index,
    /// Who votes, as far as it knows. One joins or leaves at a time.
    pub voters: BTreeSet<ServerId>,
}

/// Where servers stood so far.
#[derive(Clone, Debug, Default)]
pub struct Consensus {
    last: BTreeMap<ServerId, Position>,
}

impl Consensus {
    /// Where all servers that run stand at one moment.
    pub fn sees(&mut self, positions: BTreeMap<ServerId, Position>) -> Vec<Violation> {
        let mut violations = Vec::new();
        for (id, position) in &positions {
            violations.extend(out_of_order(*id, position));
            violations.extend(on_too_few(*id, position, &positions));
            let last = self.last.get(id);
            violations.extend(last.and_then(|last| back(*id, last, position)));
        }
        self.last.extend(positions);
        violations
    }
}

/// A log begins where the snapshot ends or before, and what is applied is committed, and what is committed is there.
fn out_of_order(id: ServerId, position: &Position) -> Option<Violation> {
    let Position { purged, snapshot, applied, committed, last_log, .. } = *position;
    let what = || {
        format!(
            "server {id} has purged up to {purged}, a snapshot of {snapshot}, applied {applied}, committed {committed}, \
             and a log up to {last_log}"
        )
    };
    let is_sorted = [purged, snapshot, applied, committed, last_log].is_sorted();
    (!is_sorted).then(|| Violation::new(NAME, what()))
}

/// What is committed is in the logs of a majority. Those that don't run may have it; and while one joins or leaves, a
/// majority of the others is enough, which is half of an even number.
fn on_too_few(id: ServerId, position: &Position, positions: &BTreeMap<ServerId, Position>) -> Option<Violation> {
    let committed = position.committed;
    let lacks = |voter: &&ServerId| positions.get(voter).is_some_and(|other| other.last_log < committed);
    let (all, lacking) = (position.voters.len(), position.voters.iter().filter(lacks).count());
    let what = || format!("server {id} has committed {committed}, which {lacking} of {all} voters do not have");
    (all - lacking < all.div_ceil(2)).then(|| Violation::new(NAME, what()))
}

/// A term never goes back, and within one life nothing does that is committed.
fn back(id: ServerId, last: &Position, position: &Position) -> Option<Violation> {
    let kept = |position: &Position| [position.committed, position.applied, position.snapshot, position.purged];
    let is_back = kept(last).iter().zip(kept(position)).any(|(before, after)| after < *before);
    let what = || format!("server {id} went back, from {last:?} to {position:?}");
    (position.term < last.term || (position.life == last.life && is_back)).then(|| Violation::new(NAME, what()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(last_log: Index, committed: Index) -> Position {
        let voters = [1, 2, 3, 4, 5].into();
        Position { life: 1, term: 2, last_log, committed, applied: committed, snapshot: 3, purged: 2, voters }
    }

    fn seen(all: &[(ServerId, Position)]) -> usize {
        Consensus::default().sees(all.iter().cloned().collect()).len()
    }

    #[test]
    fn what_is_on_too_few_servers_is_found() {
        let three = [(1, at(9, 9)), (2, at(9, 8)), (3, at(9, 8)), (4, at(8, 8)), (5, at(8, 8))];
        assert_eq!(seen(&three), 0);
        let mut two = three;
        two[2].1.last_log = 8;
        assert_eq!(seen(&two), 1);
        assert_eq!(seen(&two[..4]), 0, "the fifth may have it");
        two[0].1.voters = [1, 2, 3, 4].into();
        assert_eq!(seen(&two), 0, "one of these may be about to leave");
    }

    #[test]
    fn positions_that_contradict_each_other_are_found() {
        assert_eq!(seen(&[(1, at(9, 9))]), 0);
        for wrong in [
            Position { applied: 10, ..at(9, 9) },
            Position { snapshot: 10, ..at(9, 9) },
            Position { purged: 4, ..at(9, 9) },
            Position { committed: 10, ..at(9, 9) },
        ] {
            assert!(seen(&[(1, wrong.clone())]) > 0, "{wrong:?}");
        }
    }

    #[test]
    fn a_server_that_goes_back_is_found() {
        let mut consensus = Consensus::default();
        let mut sees = |position: Position| consensus.sees([(1, position)].into()).len();
        assert_eq!(sees(at(9, 9)), 0);
        assert_eq!(sees(at(9, 8)), 1);
        assert_eq!(sees(Position { life: 2, ..at(9, 3) }), 0, "what was committed is learnt anew");
        assert_eq!(sees(Position { life: 3, term: 1, ..at(9, 9) }), 1, "a term is on the disk");
    }
}
