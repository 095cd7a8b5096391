//! Alarms: what must never be, and was. Logged, counted in the metrics, and kept for people to look at, the newest of them.
//!
//! Kept by each server of its own; those that an entry raised are raised by every server that applies it.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use model::{Index, Timestamp};

/// Alarms that are kept.
pub const ALARMS_KEPT: usize = 100;

/// Something that must never be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Raised {
    /// When this server noticed.
    pub at: Timestamp,
    /// The index at which it was so.
    pub index: Index,
    /// The invariant's name.
    pub invariant: String,
    /// What was wrong, with names and numbers.
    pub what: String,
}

/// The alarms of a server.
#[derive(Debug, Default)]
pub struct Alarms {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    raised: u64,
    newest: VecDeque<Raised>,
}

impl Alarms {
    /// Raises an alarm.
    pub fn raise(&self, alarm: Raised) {
        let Raised { index, invariant, what, .. } = &alarm;
        tracing::error!(index, invariant, what, "an invariant does not hold");
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.raised += 1;
        kept.newest.push_back(alarm);
        let excess = kept.newest.len().saturating_sub(ALARMS_KEPT);
        kept.newest.drain(..excess);
    }

    /// The newest alarms, oldest first.
    pub fn newest(&self) -> Vec<Raised> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).newest.iter().cloned().collect()
    }

    /// How many were raised since the server started.
    pub fn raised(&self) -> u64 {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).raised
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_are_kept_as_the_limit_and_all_are_counted() {
        let alarms = Alarms::default();
        let raise = |index| {
            let at = Timestamp::default();
            alarms.raise(Raised { at, index, invariant: "capacity".into(), what: "too much".into() });
        };
        (1..=ALARMS_KEPT as Index).for_each(raise);
        assert_eq!(alarms.newest()[0].index, 1);
        raise(ALARMS_KEPT as Index + 1);
        assert_eq!((alarms.newest().len(), alarms.newest()[0].index), (ALARMS_KEPT, 2));
        assert_eq!(alarms.raised(), ALARMS_KEPT as u64 + 1);
    }
}
