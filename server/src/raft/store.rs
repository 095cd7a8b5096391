//! The log as openraft wants it: reads from memory, writes through the [`Writer`].

use std::fmt::Debug;
use std::io;
use std::ops::RangeBounds;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use model::Index;
use openraft::storage::RaftLogStorage;
use openraft::{LogState, OptionalSend, RaftLogReader};

use super::log::{Contents, Done, Record, Writer};
use super::types::{Entry, Flushed, LogId, TypeConfig, Vote};

/// Most bytes of entries in one message to a follower, below the message limit of any transport; one entry may be more.
const APPEND_BYTES_MAX: usize = 1 << 20;

/// The log of this server. Clones read and write the same one.
#[derive(Clone)]
pub struct Store {
    contents: Arc<RwLock<Contents>>,
    writer: Writer,
}

impl Store {
    /// The log with these contents, which `writer` continues.
    pub fn new(contents: Contents, writer: Writer) -> Self {
        Self { contents: Arc::new(RwLock::new(contents)), writer }
    }

    /// About how many bytes the entries take.
    pub fn bytes(&self) -> u64 {
        self.read().bytes
    }

    /// The index of the last entry that is not among the newest that take at most `bytes` together; 0 if all are.
    pub fn index_before_last(&self, bytes: u64) -> Index {
        self.read().index_before_last(bytes)
    }

    fn read(&self) -> RwLockReadGuard<'_, Contents> {
        self.contents.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Contents> {
        self.contents.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RaftLogReader<TypeConfig> for Store {
    async fn try_get_log_entries<R: RangeBounds<u64> + Clone + Debug + OptionalSend>(
        &mut self,
        range: R,
    ) -> io::Result<Vec<Entry>> {
        Ok(self.read().entries.range(range).map(|(_, entry)| entry.clone()).collect())
    }

    async fn limited_get_log_entries(&mut self, start: u64, end: u64) -> io::Result<Vec<Entry>> {
        Ok(self.read().limited(start, end, APPEND_BYTES_MAX))
    }

    async fn read_vote(&mut self) -> io::Result<Option<Vote>> {
        Ok(self.read().vote)
    }
}

impl RaftLogStorage<TypeConfig> for Store {
    type LogReader = Self;

    async fn get_log_state(&mut self) -> io::Result<LogState<TypeConfig>> {
        let contents = self.read();
        Ok(LogState { last_purged_log_id: contents.purged, last_log_id: contents.last() })
    }

    async fn get_log_reader(&mut self) -> Self {
        self.clone()
    }

    async fn save_vote(&mut self, vote: &Vote) -> io::Result<()> {
        self.writer.write_and_wait(vec![Record::Vote(*vote)]).await?;
        self.write().vote = Some(*vote);
        Ok(())
    }

    async fn save_committed(&mut self, committed: Option<LogId>) -> io::Result<()> {
        self.write().committed = committed;
        self.writer.write_later(Record::Committed(committed))
    }

    async fn read_committed(&mut self) -> io::Result<Option<LogId>> {
        Ok(self.read().committed)
    }

    async fn append<I>(&mut self, entries: I, flushed: Flushed) -> io::Result<()>
    where
        I: IntoIterator<Item = Entry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let mut records = Vec::new();
        {
            let mut contents = self.write();
            for entry in entries {
                contents.insert(entry.clone());
                records.push(Record::Entry(entry));
            }
        }
        self.writer.write(records, Done::Flushed(flushed))
    }

    async fn truncate_after(&mut self, last: Option<LogId>) -> io::Result<()> {
        self.write().truncate_after(last);
        self.writer.write_and_wait(vec![Record::Truncate(last)]).await
    }

    async fn purge(&mut self, log_id: LogId) -> io::Result<()> {
        self.write().purge(log_id);
        self.writer.write(vec![Record::Purge(log_id)], Done::Nobody)
    }
}

#[cfg(test)]
mod tests;
