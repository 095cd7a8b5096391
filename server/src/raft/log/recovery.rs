//! Reads the segments of a stopped server and judges them: whole, torn at the end, or damaged.

use std::collections::VecDeque;
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
    let Some((last_path, full_paths)) = paths.split_last() else {
        let segments = Segments::create(disk, config.clone()).map_err(&io)?;
        return Ok((Contents::default(), segments));
    };

    let mut contents = Contents::default();
    let mut full = VecDeque::new();
    let mut before: Option<Scanned> = None;
    for path in full_paths {
        let scanned = scan(&*disk, path, &config, before.as_ref(), &mut contents)?;
        if scanned.tail != Tail::Clean || !scanned.batch_ended {
            return Err(scanned.damaged("a record is broken, and a later segment follows"));
        }
        full.push_back(Full { path: path.clone(), last_index: scanned.last_index });
        before = Some(scanned);
    }
    let last = scan(&*disk, last_path, &config, before.as_ref(), &mut contents)?;
    if last.tail == Tail::Damaged {
        return Err(last.damaged("a record is broken, and records that were written after it are whole"));
    }
    if let Some(hole) = contents.hole() {
        return Err(last.damaged(&format!("entry {hole} is missing: a segment before this one is gone")));
    }
    let carried = Carried { vote: contents.vote, purged: contents.purged, committed: contents.committed };
    let active = last.continue_writing().map_err(&io)?;
    Ok((contents, Segments::resume(disk, config.clone(), full, active, carried)))
}

/// What was found in one segment.
struct Scanned {
    path: PathBuf,
    file: Box<dyn DiskFile>,
    sequence: u64,
    /// Where the last whole frame ends.
    end: u64,
    length: u64,
    batch: u32,
    batch_ended: bool,
    tail: Tail,
    last_index: Option<Index>,
}

impl Scanned {
    fn damaged(&self, reason: &str) -> OpenLogError {
        OpenLogError::Damaged { file: self.path.clone(), offset: self.end, reason: reason.to_string() }
    }

    /// Wipes a torn tail, so that what is left of it can never be taken for a record of a later batch, and makes
    /// durable what a killed process had written but not synced, because from now on it is relied upon.
    fn continue_writing(self) -> std::io::Result<Active> {
        if self.tail == Tail::Torn {
            tracing::warn!(file = %self.path.display(), offset = self.end, "cut a write that was never acknowledged");
            segment::zero(&*self.file, self.end, self.length)?;
        }
        self.file.sync()?;
        Ok(Active {
            path: self.path,
            file: self.file,
            sequence: self.sequence,
            end: self.end,
            capacity: self.length,
            // What follows an unfinished batch is the rest of it.
            batch: if self.batch_ended { self.batch } else { self.batch - 1 },
            last_index: self.last_index,
        })
    }
}

fn scan(
    disk: &dyn Disk,
    path: &Path,
    config: &LogConfig,
    before: Option<&Scanned>,
    contents: &mut Contents,
) -> Result<Scanned, OpenLogError> {
    let io = in_folder(&config.folder);
    let damaged = |offset: usize, reason: String| OpenLogError::Damaged {
        file: path.to_path_buf(),
        offset: offset as u64,
        reason,
    };
    let file = disk.open(path).map_err(&io)?;
    let bytes = file.read_all().map_err(&io)?;

    let first = read_frame(&bytes).ok_or_else(|| damaged(0, "the segment's header is broken".to_string()))?;
    let Record::Header(header) = first.record().map_err(|error| damaged(0, error.to_string()))? else {
        return Err(damaged(0, "the segment does not begin with a header".to_string()));
    };
    check_header(&header, config, before).map_err(|reason| damaged(0, reason))?;
    if before.is_none() {
        contents.vote = header.vote.map(Into::into);
        contents.purged = header.purged.map(Into::into);
        contents.committed = header.committed.map(Into::into);
    }

    let mut end = first.length;
    let (mut batch, mut batch_ended) = (first.batch, first.ends_batch);
    let mut last_index = None;
    while let Some(frame) = read_frame(&bytes[end..]) {
        let record = frame.record().map_err(|error| damaged(end, error.to_string()))?;
        if let Record::Entry(entry) = &record {
            last_index = last_index.max(Some(entry.log_id.index()));
        }
        contents.apply(record);
        (batch, batch_ended) = (frame.batch, frame.ends_batch);
        end += frame.length;
    }
    Ok(Scanned {
        path: path.to_path_buf(),
        tail: segment::judge(&bytes[end..], batch, batch_ended),
        file,
        sequence: header.sequence,
        end: end as u64,
        length: bytes.len() as u64,
        batch,
        batch_ended,
        last_index,
    })
}

fn check_header(header: &HeaderMessage, config: &LogConfig, before: Option<&Scanned>) -> Result<(), String> {
    if header.format > FORMAT {
        return Err(format!("format {} is newer than this program's {FORMAT}", header.format));
    }
    if header.cluster != config.cluster.as_bytes() || header.server != config.server {
        return Err(format!("the segment was written by server {} of another log", header.server));
    }
    if let Some(before) = before {
        if header.sequence != before.sequence + 1 {
            return Err(format!("segment {} is missing", before.sequence + 1));
        }
        if header.previous_length != before.end {
            return Err(format!(
                "segment {} had {} bytes when this one was begun, now {}",
                before.sequence, header.previous_length, before.end
            ));
        }
    }
    Ok(())
}
