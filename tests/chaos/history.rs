//! What clients did to registers and what they were told, with the times of both. One register per key; a register holds
//! a value, 0 where it does not exist yet. Written by [`super::client`], judged by [`super::linear`].

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// What a register holds. Every write of a run writes another one.
pub type Value = u32;

/// The value of a register that does not exist.
pub const ABSENT: Value = 0;

/// What a client wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// To know the value.
    Read,
    /// To put a value in place of another, and to change nothing if that other one is not there.
    Swap {
        /// The value that must be there.
        from: Value,
        /// The new one.
        to: Value,
    },
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The value that was read.
    Value(Value),
    /// It was swapped.
    Swapped,
    /// The other value was not there; nothing was changed.
    Refused,
    /// Nobody knows: it may have happened, may happen yet, or never.
    Unknown,
}

/// One deed of one client. Times count from the beginning of the history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Who.
    pub client: usize,
    /// What.
    pub deed: Deed,
    /// With which outcome.
    pub outcome: Outcome,
    /// When it was asked for.
    pub began: Duration,
    /// When the outcome was known. Of no meaning where it never was.
    pub ended: Duration,
}

impl Operation {
    /// Whether its outcome is known.
    pub fn is_completed(&self) -> bool {
        self.outcome != Outcome::Unknown
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { client, deed, outcome, began, ended } = self;
        write!(f, "[{:.4} s to {:.4} s] client {client}: ", began.as_secs_f64(), ended.as_secs_f64())?;
        match deed {
            Deed::Read => write!(f, "read")?,
            Deed::Swap { from, to } => write!(f, "swap {from} for {to}")?,
        }
        match outcome {
            Outcome::Value(value) => write!(f, " -> {value}"),
            Outcome::Swapped => write!(f, " -> done"),
            Outcome::Refused => write!(f, " -> refused"),
            Outcome::Unknown => write!(f, " -> unknown"),
        }
    }
}

/// A history while it is made.
#[derive(Debug)]
pub struct History {
    origin: Instant,
    values: AtomicU32,
    log: Mutex<Log>,
}

/// A history that is over.
#[derive(Debug)]
pub struct Ended {
    /// The operations of each register.
    pub registers: BTreeMap<String, Vec<Operation>>,
    /// The indexes at which registers are known to have been written.
    pub written: BTreeSet<(u64, String)>,
    /// Indexes under which two values were seen.
    pub conflicts: Vec<String>,
}

impl Ended {
    /// The longest time in which no swap was known to be done, from the first to the last.
    pub fn longest_without_swap(&self) -> Duration {
        let all = self.registers.values().flatten();
        let swapped = all.filter(|operation| operation.outcome == Outcome::Swapped);
        let mut times: Vec<Duration> = swapped.map(|operation| operation.ended).collect();
        times.sort();
        times.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or_default()
    }
}

#[derive(Debug, Default)]
struct Log {
    keys: BTreeMap<String, Vec<Operation>>,
    /// The value that was seen under each index of each key.
    indexes: BTreeMap<(String, u64), Value>,
    /// Indexes under which two values were seen.
    conflicts: Vec<String>,
}

impl Default for History {
    fn default() -> Self {
        Self { origin: Instant::now(), values: AtomicU32::new(ABSENT + 1), log: Mutex::default() }
    }
}

impl History {
    /// The time since it began.
    pub fn now(&self) -> Duration {
        self.origin.elapsed()
    }

    /// A value that nobody has written.
    pub fn fresh_value(&self) -> Value {
        self.values.fetch_add(1, Ordering::Relaxed)
    }

    /// Adds a deed.
    pub fn add(&self, key: &str, operation: Operation) {
        self.log().keys.entry(key.to_owned()).or_default().push(operation);
    }

    /// Notes that `key` had `value` at `index`: an index stands for one value for ever.
    pub fn note_index(&self, key: &str, index: u64, value: Value) {
        let mut log = self.log();
        let known = *log.indexes.entry((key.to_owned(), index)).or_insert(value);
        if known != value {
            log.conflicts.push(format!("{key} had both {known} and {value} at index {index}"));
        }
    }

    /// How many operations of `key` there are.
    pub fn len_of(&self, key: &str) -> usize {
        self.log().keys.get(key).map_or(0, Vec::len)
    }

    /// How many operations have a known outcome.
    pub fn completed(&self) -> usize {
        self.log().keys.values().flatten().filter(|operation| operation.is_completed()).count()
    }

    /// The last index at which a register is known to have been written.
    pub fn last_index(&self) -> u64 {
        self.log().indexes.keys().map(|(_, index)| *index).max().unwrap_or_default()
    }

    /// All that was written down.
    pub fn end(self) -> Ended {
        let Log { keys, indexes, conflicts } = self.log.into_inner().expect("no client panicked while it wrote");
        let written = indexes.into_keys().filter(|(_, index)| *index > 0).map(|(key, index)| (index, key)).collect();
        Ended { registers: keys, written, conflicts }
    }

    fn log(&self) -> std::sync::MutexGuard<'_, Log> {
        self.log.lock().expect("no client panicked while it wrote")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_time_without_a_swap_is_over_all_registers() {
        let history = History::default();
        let at = |ms, outcome| {
            let (began, ended) = (Duration::ZERO, Duration::from_millis(ms));
            Operation { client: 0, deed: Deed::Swap { from: 0, to: 1 }, outcome, began, ended }
        };
        history.add("a", at(10, Outcome::Swapped));
        history.add("b", at(40, Outcome::Swapped));
        history.add("a", at(90, Outcome::Swapped));
        history.add("a", at(60, Outcome::Refused));
        assert_eq!(history.end().longest_without_swap(), Duration::from_millis(50));
    }

    #[test]
    fn an_index_stands_for_one_value() {
        let history = History::default();
        history.note_index("k", 7, 1);
        history.note_index("k", 7, 1);
        history.note_index("other", 7, 2);
        history.note_index("k", 8, 2);
        history.note_index("k", 7, 3);
        let ended = history.end();
        assert_eq!(ended.written.len(), 3);
        assert_eq!(ended.conflicts, ["k had both 1 and 3 at index 7"]);
    }
}
