//! The segments of a log: writes batches to the last, begins the next when it is full, deletes those that are purged.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use model::Index;
use seams::{Disk, DiskFile};
use thiserror::Error;

use super::record::{HeaderMessage, Record, end_batch, push_frame};
use super::{FORMAT, LogConfig, segment};
use crate::raft::types::{LogId, Vote};

/// Bytes at the end of a segment that are kept for its last mark: a frame with one position.
const MARK_BYTES_MAX: u64 = 64;

/// All segments, the last of them open for writing.
pub struct Segments {
    disk: Arc<dyn Disk>,
    config: LogConfig,
    full: VecDeque<Full>,
    active: Active,
    spare: Option<Spare>,
    carried: Carried,
}

/// A segment that takes no more records.
pub struct Full {
    pub path: PathBuf,
    /// The highest index of an entry that was ever written to it.
    pub last_index: Option<Index>,
}

/// The segment that is written to.
pub struct Active {
    pub path: PathBuf,
    pub file: Box<dyn DiskFile>,
    pub sequence: u64,
    /// Where the last durable batch ends.
    pub end: u64,
    pub capacity: u64,
    /// The number of the last durable batch.
    pub batch: u32,
    pub last_index: Option<Index>,
    /// The first frame of the next batch, which lies behind `end` already.
    pub mark: Vec<u8>,
    /// Whether that frame may not be durable yet.
    pub mark_is_fresh: bool,
}

/// What every new segment repeats in its header.
#[derive(Clone, Copy, Default)]
pub struct Carried {
    pub vote: Option<Vote>,
    pub purged: Option<LogId>,
    pub committed: Option<LogId>,
}

struct Spare {
    file: Box<dyn DiskFile>,
    capacity: u64,
}

/// Records were not written, or not all.
#[derive(Debug, Error)]
pub enum WriteRecords {
    /// There is no room for another segment. So many of the records are durable; of the others nothing was written, and
    /// they can be written again once there is room.
    #[error("no room for the next segment of the log")]
    NoRoom {
        /// How many are durable.
        written: usize,
        /// What the disk said.
        #[source]
        source: io::Error,
    },
    /// What is on the disk is unknown: nothing may be written any more.
    #[error("a write to the log failed")]
    Failed(#[from] io::Error),
}

impl Segments {
    /// The segments as recovery found them. What is in them is durable.
    pub fn resume(
        disk: Arc<dyn Disk>,
        config: LogConfig,
        full: VecDeque<Full>,
        active: Active,
        carried: Carried,
    ) -> io::Result<Self> {
        let mut segments = Self { disk, config, full, active, spare: None, carried };
        segments.mark()?;
        Ok(segments)
    }

    /// The first segment of a new log.
    pub fn create(disk: Arc<dyn Disk>, config: LogConfig) -> io::Result<Self> {
        let carried = Carried::default();
        let spare = preallocate_for(&*disk, &config, 0)?;
        let active = begin(&*disk, &config, spare, carried, 1, 0)?;
        Ok(Self { disk, config, full: VecDeque::new(), active, spare: None, carried })
    }

    /// Writes the records in order and makes them durable. After an error nothing more may be written.
    #[allow(dead_code, reason = "for those who write once: the writer tells a lack of room from the rest")]
    pub fn write(&mut self, records: &[Record]) -> io::Result<()> {
        self.append(records).map_err(|error| match error {
            WriteRecords::NoRoom { source, .. } | WriteRecords::Failed(source) => source,
        })
    }

    /// The same, where a lack of room is told from what ends the log.
    pub fn append(&mut self, records: &[Record]) -> Result<(), WriteRecords> {
        let mut buffer = self.active.mark.clone();
        let mut last_frame = 0;
        let mut batch = self.active.batch + 1;
        for (written, record) in records.iter().enumerate() {
            let before = buffer.len();
            push_frame(&mut buffer, record, batch);
            if self.active.end + buffer.len() as u64 + MARK_BYTES_MAX > self.active.capacity {
                let needed = (buffer.len() - before) as u64;
                buffer.truncate(before);
                self.flush(&mut buffer, last_frame, batch)?;
                self.rotate(needed, written)?;
                batch = self.active.batch + 1;
                push_frame(&mut buffer, record, batch);
                last_frame = 0;
            } else {
                last_frame = before;
            }
            self.note(record);
        }
        self.flush(&mut buffer, last_frame, batch)?;
        self.mark()?;
        self.delete_purged()?;
        Ok(())
    }

    /// Whether it is time to preallocate the next segment: this one is half full, so that a full disk is noticed
    /// while there is room.
    pub fn wants_spare(&self) -> bool {
        self.spare.is_none() && self.active.end >= self.active.capacity / 2
    }

    /// Preallocates the next segment. A failure leaves the log as it was.
    pub fn prepare(&mut self) -> io::Result<()> {
        self.spare = Some(preallocate_for(&*self.disk, &self.config, 0)?);
        Ok(())
    }

    /// Whether the last mark may not be durable yet.
    pub fn has_fresh_mark(&self) -> bool {
        self.active.mark_is_fresh
    }

    /// Makes the last mark durable, after which damage to the last batch is told from a torn write even if the power
    /// fails as well.
    pub fn sync_mark(&mut self) -> io::Result<()> {
        self.active.file.sync()?;
        self.active.mark_is_fresh = false;
        Ok(())
    }

    /// Writes the buffer, which begins with the mark if there is one, as one batch.
    fn flush(&mut self, buffer: &mut Vec<u8>, last_frame: usize, batch: u32) -> io::Result<()> {
        if buffer.len() == self.active.mark.len() {
            buffer.clear();
            return Ok(());
        }
        end_batch(&mut buffer[last_frame..]);
        self.active.file.write_at(buffer, self.active.end)?;
        self.active.file.sync()?;
        self.active.end += buffer.len() as u64;
        self.active.batch = batch;
        self.active.mark.clear();
        self.active.mark_is_fresh = false;
        buffer.clear();
        Ok(())
    }

    /// Begins the next batch at once, with a frame that says nothing new, and does not sync it. It proves that the batch
    /// before it was durable: from now on damage to that one is no torn write.
    fn mark(&mut self) -> io::Result<()> {
        if !self.active.mark.is_empty() {
            return Ok(());
        }
        let mut mark = Vec::new();
        push_frame(&mut mark, &Record::Committed(self.carried.committed), self.active.batch + 1);
        // Segments of before kept no room for it.
        if self.active.end + mark.len() as u64 > self.active.capacity {
            return Ok(());
        }
        self.active.file.write_at(&mark, self.active.end)?;
        self.active.mark = mark;
        self.active.mark_is_fresh = true;
        Ok(())
    }

    fn rotate(&mut self, needed: u64, written: usize) -> Result<(), WriteRecords> {
        let wanted = segment_size(&self.config, needed);
        let spare = match self.spare.take().filter(|spare| spare.capacity >= wanted) {
            Some(spare) => spare,
            None => match preallocate_for(&*self.disk, &self.config, needed) {
                Err(source) if segment::is_full(&source) => {
                    self.mark()?;
                    return Err(WriteRecords::NoRoom { written, source });
                }
                made => made?,
            },
        };
        let (sequence, end) = (self.active.sequence + 1, self.active.end);
        let next = begin(&*self.disk, &self.config, spare, self.carried, sequence, end)?;
        let full = std::mem::replace(&mut self.active, next);
        self.full.push_back(Full { path: full.path, last_index: full.last_index });
        Ok(())
    }

    fn note(&mut self, record: &Record) {
        match record {
            Record::Header(_) | Record::Truncate(_) => {}
            Record::Vote(vote) => self.carried.vote = Some(*vote),
            Record::Entry(entry) => self.active.last_index = self.active.last_index.max(Some(entry.log_id.index())),
            Record::Purge(log_id) => self.carried.purged = self.carried.purged.max(Some(*log_id)),
            Record::Committed(log_id) => self.carried.committed = *log_id,
        }
    }

    /// Only from the front: a segment that stays keeps all that follow it.
    fn delete_purged(&mut self) -> io::Result<()> {
        let purged = self.carried.purged.map(|log_id| log_id.index());
        let mut deleted = false;
        while self.full.front().is_some_and(|segment| segment.last_index <= purged) {
            if let Some(segment) = self.full.pop_front() {
                self.disk.remove(&segment.path)?;
                deleted = true;
            }
        }
        if deleted { self.disk.sync_folder(&self.config.folder) } else { Ok(()) }
    }
}

/// Where the next segment lies while it has no name. What is found here after a crash is worth nothing.
pub fn spare_path(folder: &Path) -> PathBuf {
    folder.join("next")
}

/// The size of a segment that can take a record of `needed` bytes.
fn segment_size(config: &LogConfig, needed: u64) -> u64 {
    /// More than any header takes.
    const HEADER_BYTES_MAX: u64 = 256;
    config.segment_bytes.max(HEADER_BYTES_MAX + needed + MARK_BYTES_MAX)
}

fn preallocate_for(disk: &dyn Disk, config: &LogConfig, needed: u64) -> io::Result<Spare> {
    let capacity = segment_size(config, needed);
    let file = segment::preallocate(disk, &spare_path(&config.folder), capacity)?;
    Ok(Spare { file, capacity })
}

/// Makes a segment of a preallocated file: writes its header, and makes it durable under its name.
fn begin(
    disk: &dyn Disk,
    config: &LogConfig,
    spare: Spare,
    carried: Carried,
    sequence: u64,
    previous_length: u64,
) -> io::Result<Active> {
    let Spare { file, capacity } = spare;
    let header = HeaderMessage {
        format: FORMAT,
        cluster: config.cluster.as_bytes().to_vec(),
        server: config.server,
        sequence,
        previous_length,
        vote: carried.vote.map(Into::into),
        purged: carried.purged.map(Into::into),
        committed: carried.committed.map(Into::into),
        capacity,
    };
    let mut buffer = Vec::new();
    push_frame(&mut buffer, &Record::Header(header), 1);
    end_batch(&mut buffer);
    file.write_at(&buffer, 0)?;
    file.sync()?;
    let path = segment::path(&config.folder, sequence);
    segment::publish(disk, &spare_path(&config.folder), &path, &config.folder)?;
    let end = buffer.len() as u64;
    let (mark, mark_is_fresh) = (Vec::new(), false);
    Ok(Active { path, file, sequence, end, capacity, batch: 1, last_index: None, mark, mark_is_fresh })
}
