//! The segments of a log: writes batches to the last, begins the next when it is full, deletes those that are purged.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use model::Index;
use seams::{Disk, DiskFile};

use super::record::{HeaderMessage, Record, end_batch, push_frame};
use super::{FORMAT, LogConfig, segment};
use crate::raft::types::{LogId, Vote};

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
    pub end: u64,
    pub capacity: u64,
    pub batch: u32,
    pub last_index: Option<Index>,
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

impl Segments {
    /// The segments as recovery found them.
    pub fn resume(
        disk: Arc<dyn Disk>,
        config: LogConfig,
        full: VecDeque<Full>,
        active: Active,
        carried: Carried,
    ) -> Self {
        Self { disk, config, full, active, spare: None, carried }
    }

    /// The first segment of a new log.
    pub fn create(disk: Arc<dyn Disk>, config: LogConfig) -> io::Result<Self> {
        let carried = Carried::default();
        let active = begin(&*disk, &config, None, carried, 1, 0, 0)?;
        Ok(Self { disk, config, full: VecDeque::new(), active, spare: None, carried })
    }

    /// Writes the records in order and makes them durable. After an error nothing may be written any more.
    pub fn write(&mut self, records: &[Record]) -> io::Result<()> {
        let mut buffer = Vec::new();
        let mut last_frame = 0;
        let mut batch = self.active.batch + 1;
        for record in records {
            let before = buffer.len();
            push_frame(&mut buffer, record, batch);
            if self.active.end + buffer.len() as u64 > self.active.capacity {
                let needed = (buffer.len() - before) as u64;
                buffer.truncate(before);
                self.flush(&mut buffer, last_frame, batch)?;
                self.rotate(needed)?;
                batch = self.active.batch + 1;
                push_frame(&mut buffer, record, batch);
                last_frame = 0;
            } else {
                last_frame = before;
            }
            self.note(record);
        }
        self.flush(&mut buffer, last_frame, batch)?;
        self.delete_purged()
    }

    /// Whether it is time to preallocate the next segment: this one is half full, so that a full disk is noticed
    /// while there is room.
    pub fn wants_spare(&self) -> bool {
        self.spare.is_none() && self.active.end >= self.active.capacity / 2
    }

    /// Preallocates the next segment.
    pub fn prepare(&mut self) -> io::Result<()> {
        let capacity = self.config.segment_bytes;
        let file = self.disk.open(&spare_path(&self.config.folder))?;
        segment::preallocate(&*file, capacity)?;
        self.spare = Some(Spare { file, capacity });
        Ok(())
    }

    fn flush(&mut self, buffer: &mut Vec<u8>, last_frame: usize, batch: u32) -> io::Result<()> {
        if buffer.is_empty() {
            return Ok(());
        }
        end_batch(&mut buffer[last_frame..]);
        self.active.file.write_at(buffer, self.active.end)?;
        self.active.file.sync()?;
        self.active.end += buffer.len() as u64;
        self.active.batch = batch;
        buffer.clear();
        Ok(())
    }

    fn rotate(&mut self, needed: u64) -> io::Result<()> {
        let spare = self.spare.take();
        let (sequence, end) = (self.active.sequence + 1, self.active.end);
        let next = begin(&*self.disk, &self.config, spare, self.carried, sequence, end, needed)?;
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

/// Makes a segment with its header, durable under its name.
fn begin(
    disk: &dyn Disk,
    config: &LogConfig,
    spare: Option<Spare>,
    carried: Carried,
    sequence: u64,
    previous_length: u64,
    needed: u64,
) -> io::Result<Active> {
    let header = HeaderMessage {
        format: FORMAT,
        cluster: config.cluster.as_bytes().to_vec(),
        server: config.server,
        sequence,
        previous_length,
        vote: carried.vote.map(Into::into),
        purged: carried.purged.map(Into::into),
        committed: carried.committed.map(Into::into),
    };
    let mut buffer = Vec::new();
    push_frame(&mut buffer, &Record::Header(header), 1);
    end_batch(&mut buffer);

    let wanted = config.segment_bytes.max(buffer.len() as u64 + needed);
    let spare = spare.filter(|spare| spare.capacity >= wanted);
    let next = spare_path(&config.folder);
    let Spare { file, capacity } = match spare {
        Some(spare) => spare,
        None => {
            let file = disk.open(&next)?;
            file.set_len(0)?;
            segment::preallocate(&*file, wanted)?;
            Spare { file, capacity: wanted }
        }
    };
    file.write_at(&buffer, 0)?;
    file.sync()?;
    let path = segment::path(&config.folder, sequence);
    segment::publish(disk, &next, &path, &config.folder)?;
    Ok(Active { path, file, sequence, end: buffer.len() as u64, capacity, batch: 1, last_index: None })
}
