//! I4: the indexes that a client is shown never go back on one connection, nor below what it asked for; a blocking query is
//! answered with something newer, or because its time was up.

use std::collections::BTreeMap;

use model::Index;

use super::Violation;

pub(super) const NAME: &str = "indexes";

/// One answer to a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answered {
    /// Which connection.
    pub connection: u64,
    /// What the query waited for something newer than; 0 if it did not wait.
    pub newer_than: Index,
    /// Whether it was answered because its time was up.
    pub timed_out: bool,
    /// The index of the answer.
    pub index: Index,
}

/// What clients were shown.
#[derive(Clone, Debug, Default)]
pub struct Indexes {
    last: BTreeMap<u64, Index>,
}

impl Indexes {
    /// A client was answered. All answers of a connection are of one table, or all of the whole state.
    pub fn answered(&mut self, answered: Answered) -> Vec<Violation> {
        let Answered { connection, newer_than, timed_out, index } = answered;
        let mut violations = Vec::new();
        let last = self.last.entry(connection).or_default();
        if index < *last {
            violations.push(Violation::new(NAME, format!("connection {connection} was shown {index} after {last}")));
        }
        *last = index.max(*last);
        if index < newer_than {
            violations.push(Violation::new(NAME, format!("{index} was the answer to what is newer than {newer_than}")));
        } else if newer_than > 0 && index == newer_than && !timed_out {
            violations.push(Violation::new(NAME, format!("nothing is newer than {newer_than}, and nobody waited")));
        }
        violations
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_that_goes_back_is_found() {
        let mut indexes = Indexes::default();
        let mut check = |newer_than, timed_out, index, wanted| {
            let answered = Answered { connection: 1, newer_than, timed_out, index };
            assert_eq!(indexes.answered(answered).len(), wanted, "{answered:?}");
        };
        check(0, false, 5, 0);
        check(5, true, 5, 0);
        check(5, false, 5, 1);
        check(5, false, 6, 0);
        check(0, false, 5, 1);
        check(9, true, 8, 1);
    }
}
