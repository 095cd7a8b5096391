//! What the log holds, in memory: the sum of its records.

use std::collections::BTreeMap;
use std::ops::Bound;

use model::Index;

use super::record::Record;
use crate::raft::types::{Entry, LogId, Vote};

/// The vote, the positions and the entries of a log.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Contents {
    /// The last vote that was saved.
    pub vote: Option<Vote>,
    /// The last position known to be committed.
    pub committed: Option<LogId>,
    /// The last position that was purged, because a snapshot holds it.
    pub purged: Option<LogId>,
    /// Entries by index, without holes.
    pub entries: BTreeMap<Index, Entry>,
    /// About how many bytes they take.
    pub bytes: u64,
}

impl Contents {
    /// Adds a record's effect. A segment's header has none of its own: it repeats what earlier records said.
    pub fn apply(&mut self, record: Record) {
        match record {
            Record::Header(_) => {}
            Record::Vote(vote) => self.vote = Some(vote),
            Record::Entry(entry) => self.insert(entry),
            Record::Truncate(last) => self.truncate_after(last),
            Record::Purge(log_id) => self.purge(log_id),
            Record::Committed(log_id) => self.committed = log_id,
        }
    }

    /// Adds an entry, or puts it in the place of another.
    pub fn insert(&mut self, entry: Entry) {
        self.bytes += size(&entry) as u64;
        if let Some(replaced) = self.entries.insert(entry.log_id.index(), entry) {
            self.bytes -= size(&replaced) as u64;
        }
    }

    /// The index of the last entry that is not among the newest that take at most `bytes` together; 0 if all are.
    pub fn index_before_last(&self, bytes: u64) -> Index {
        let mut taken = 0;
        let is_beyond = |entry: &&Entry| {
            taken += size(entry) as u64;
            taken > bytes
        };
        self.entries.values().rev().find(is_beyond).map_or(0, |entry| entry.log_id.index())
    }

    /// Drops all entries after `last`, or all if it is none.
    pub fn truncate_after(&mut self, last: Option<LogId>) {
        let first_dropped = last.map_or(0, |last| last.index() + 1);
        let dropped = self.entries.split_off(&first_dropped);
        self.bytes -= sum(&dropped);
    }

    /// Drops all entries up to and including `log_id`.
    pub fn purge(&mut self, log_id: LogId) {
        let kept = self.entries.split_off(&(log_id.index() + 1));
        self.bytes -= sum(&self.entries);
        self.entries = kept;
        self.purged = self.purged.max(Some(log_id));
    }

    /// The last position, purged or not.
    pub fn last(&self) -> Option<LogId> {
        self.entries.values().next_back().map(|entry| entry.log_id).or(self.purged)
    }

    /// The first index that is missing between the purged position and the last entry.
    pub fn hole(&self) -> Option<Index> {
        let first = self.purged.map_or(0, |purged| purged.index() + 1);
        let expected = first..;
        expected.zip(self.entries.keys()).find(|(expected, found)| expected != *found).map(|(expected, _)| expected)
    }

    /// Entries from `start` on, before `end`, as many as fit into `bytes_max`, but at least one.
    pub fn limited(&self, start: Index, end: Index, bytes_max: usize) -> Vec<Entry> {
        let mut entries = Vec::new();
        let mut bytes = 0;
        if start >= end {
            return entries;
        }
        for entry in self.entries.range((Bound::Included(start), Bound::Excluded(end))).map(|(_, entry)| entry) {
            bytes += size(entry);
            if bytes > bytes_max && !entries.is_empty() {
                break;
            }
            entries.push(entry.clone());
        }
        entries
    }
}

fn sum(entries: &BTreeMap<Index, Entry>) -> u64 {
    entries.values().map(|entry| size(entry) as u64).sum()
}

/// About how many bytes an entry takes when it is written.
pub fn size(entry: &Entry) -> usize {
    const OVERHEAD: usize = 64;
    match &entry.payload {
        openraft::EntryPayload::Normal(command) => command.0.len() + OVERHEAD,
        openraft::EntryPayload::Blank => OVERHEAD,
        openraft::EntryPayload::Membership(membership) => OVERHEAD * (1 + membership.nodes().count()),
    }
}
