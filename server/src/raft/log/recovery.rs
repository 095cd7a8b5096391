//! Reads the segments of a stopped server and judges them: whole, torn at the end, or damaged.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use model::Index;
use seams::{Disk, DiskFile};

use super::contents::Contents;
use super::record::{HeaderMessage, Record, read_frame};
use super::segment::{self, Tail};
use super::segments::{Active, Carried, Full, Segments, spare_path};
use super::{FORMAT, LogConfig, OpenLogError, in_folder};

/// Reads the log in `config.folder`; an empty folder becomes an empty log.
pub fn recover(disk: Arc<dyn Disk>, config: LogConfig) -> Result<(Contents, Segments), OpenLogError> {
    let io = in_folder(&config.folder);
    disk.create_folder(&config.folder).map_err(&io)?;
    let mut paths = Vec::new();
    for path in disk.list(&config.folder).map_err(&io)? {
        if segment::sequence(&path).is_some() {
            paths.push(path);
        } else if path == spare_path(&config.folder) {
            disk.remove(&path).map_err(&io)?;
        }
    }
    if paths.is_empty() {
        let segments = Segments::create(disk, config.clone()).map_err(&io)?;
        return Ok((Contents::default(), segments));
    }

    let mut contents = Contents::default();
    let mut full = VecDeque::new();
    let mut before: Option<Scanned> = None;
    for path in paths {
        let scanned = scan(&*disk, &path, &config, before.as_ref(), &mut contents)?;
        full.extend(before.replace(scanned).map(|full| Full { path: full.path, last_index: full.last_index }));
    }
    let last = before.expect("there is a segment");
    if last.tail == Tail::Damaged {
        return Err(last.damaged("a record is broken, and records that were written after it are whole".to_string()));
    }
    if let Some(hole) = contents.hole() {
        return Err(last.damaged(format!("entry {hole} is missing: a segment before this one is gone")));
    }
    let carried = Carried { vote: contents.vote, purged: contents.purged, committed: contents.committed };
    let active = last.continue_writing().map_err(&io)?;
    let segments = Segments::resume(disk, config.clone(), full, active, carried).map_err(&io)?;
    Ok((contents, segments))
}

/// What was found in one segment.
struct Scanned {
    path: PathBuf,
    file: Box<dyn DiskFile>,
    bytes: Vec<u8>,
    sequence: u64,
    /// The last batch that is there as a whole: its number, where it begins, and where it ends.
    batch: u32,
    batch_start: usize,
    batch_end: usize,
    /// Where the last whole frame ends, which may be one of a batch that is not whole.
    end: usize,
    tail: Tail,
    last_index: Option<Index>,
}

impl Scanned {
    fn damaged(&self, reason: String) -> OpenLogError {
        damaged(&self.path, self.end, reason)
    }

    /// Wipes what follows the last whole batch, so that what is left of it can never be taken for a record of a later
    /// one, and makes durable what a killed process had written but not synced, because from now on it is relied upon.
    fn continue_writing(self) -> io::Result<Active> {
        if self.tail == Tail::Torn {
            tracing::warn!(file = %self.path.display(), offset = self.end, "cut a write that was never acknowledged");
        }
        if self.bytes[self.batch_end..].iter().any(|byte| *byte != 0) {
            segment::zero(&*self.file, self.batch_end as u64, self.bytes.len() as u64)?;
        }
        // If it was the sync of the last batch that failed, the system may take its pages for clean, show what never
        // reached the disk, and sync nothing. What is written again is synced.
        self.file.write_at(&self.bytes[self.batch_start..self.batch_end], self.batch_start as u64)?;
        self.file.sync()?;
        Ok(Active {
            path: self.path,
            file: self.file,
            sequence: self.sequence,
            end: self.batch_end as u64,
            capacity: self.bytes.len() as u64,
            batch: self.batch,
            last_index: self.last_index,
            mark: Vec::new(),
            mark_is_fresh: false,
        })
    }
}

fn damaged(path: &Path, offset: usize, reason: String) -> OpenLogError {
    OpenLogError::Damaged { file: path.to_path_buf(), offset: offset as u64, reason }
}

fn scan(
    disk: &dyn Disk,
    path: &Path,
    config: &LogConfig,
    before: Option<&Scanned>,
    contents: &mut Contents,
) -> Result<Scanned, OpenLogError> {
    let io = in_folder(&config.folder);
    let file = disk.open(path).map_err(&io)?;
    let bytes = file.read_all().map_err(&io)?;

    let first = read_frame(&bytes).ok_or_else(|| damaged(path, 0, "the segment's header is broken".to_string()))?;
    let Record::Header(header) = first.record().map_err(|error| damaged(path, 0, error.to_string()))? else {
        return Err(damaged(path, 0, "the segment does not begin with a header".to_string()));
    };
    check_header(&header, config).map_err(|reason| damaged(path, 0, reason))?;
    if let Some(before) = before {
        check_order(&header, before, path)?;
    } else {
        contents.vote = header.vote.map(Into::into);
        contents.purged = header.purged.map(Into::into);
        contents.committed = header.committed.map(Into::into);
    }
    if (bytes.len() as u64) < header.capacity {
        let reason = format!("the file was made with {} bytes and ends here", header.capacity);
        return Err(damaged(path, bytes.len(), reason));
    }

    let mut end = first.length;
    let (mut batch, mut batch_start, mut batch_end) = (first.batch, 0, end);
    // A batch counts as a whole or not at all.
    let mut unfinished = Vec::new();
    let (mut last_batch, mut last_index) = (first.batch, None);
    while let Some(frame) = read_frame(&bytes[end..]) {
        unfinished.push(frame.record().map_err(|error| damaged(path, end, error.to_string()))?);
        end += frame.length;
        last_batch = frame.batch;
        if frame.ends_batch {
            (batch, batch_start, batch_end) = (frame.batch, batch_end, end);
            for record in unfinished.drain(..) {
                if let Record::Entry(entry) = &record {
                    last_index = last_index.max(Some(entry.log_id.index()));
                }
                contents.apply(record);
            }
        }
    }
    let tail = segment::judge(&bytes[end..], last_batch, end == batch_end);
    let (path, sequence) = (path.to_path_buf(), header.sequence);
    Ok(Scanned { path, file, bytes, sequence, batch, batch_start, batch_end, end, tail, last_index })
}

fn check_header(header: &HeaderMessage, config: &LogConfig) -> Result<(), String> {
    if header.format > FORMAT {
        return Err(format!("format {} is newer than this program's {FORMAT}", header.format));
    }
    if header.cluster != config.cluster.as_bytes() || header.server != config.server {
        return Err(format!("the segment was written by server {} of another log", header.server));
    }
    Ok(())
}

/// Whether the segment with this header is the one after `before`, of which it says where its last batch ended. What
/// lies behind that is a mark, which was not synced.
fn check_order(header: &HeaderMessage, before: &Scanned, path: &Path) -> Result<(), OpenLogError> {
    let (sequence, length) = (before.sequence, header.previous_length);
    if header.sequence != sequence + 1 {
        return Err(damaged(path, 0, format!("segment {} is missing", sequence + 1)));
    }
    match before.batch_end as u64 {
        found if found == length => Ok(()),
        found if found < length => Err(before.damaged(format!(
            "a record is broken, and a later segment follows: segment {sequence} had {length} bytes when that one was \
             begun"
        ))),
        found => {
            Err(damaged(path, 0, format!("segment {sequence} had {length} bytes when this one was begun, now {found}")))
        }
    }
}
