//! One segment: its name, how a new one is made, and how the bytes of an old one are judged.

use std::io;
use std::path::{Path, PathBuf};

use seams::{Disk, DiskFile};

use super::record::{FRAME_OVERHEAD, read_frame};

/// Bytes of zeros written at a time while a segment is preallocated.
const ZEROS: usize = 1 << 20;
const EXTENSION: &str = "log";

/// The file of segment `sequence`. Names sort as numbers do.
pub fn path(folder: &Path, sequence: u64) -> PathBuf {
    folder.join(format!("{sequence:020}.{EXTENSION}"))
}

/// The number of the segment in `path`, if it is a segment's name.
pub fn sequence(path: &Path) -> Option<u64> {
    if path.extension()? != EXTENSION {
        return None;
    }
    path.file_stem()?.to_str()?.parse().ok()
}

/// Makes an empty file at `path` and writes zeros up to `bytes`, so that later writes change no metadata and can't run
/// out of space. Where this fails, the space is given back: nothing but zeros was there.
pub fn preallocate(disk: &dyn Disk, path: &Path, bytes: u64) -> io::Result<Box<dyn DiskFile>> {
    let file = disk.open(path)?;
    file.set_len(0)?;
    let made = zero(&*file, 0, bytes).and_then(|()| file.sync());
    if let Err(error) = made {
        // A sync that has failed says nothing of a later one on the same file.
        drop(file);
        let _ = disk.remove(path);
        return Err(error);
    }
    Ok(file)
}

/// Whether the disk says that there is no room, which passes; every other error ends the log.
pub fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// Writes zeros from `start` to `end`.
pub fn zero(file: &dyn DiskFile, mut start: u64, end: u64) -> io::Result<()> {
    let zeros = vec![0; ZEROS.min(usize::try_from(end.saturating_sub(start)).unwrap_or(ZEROS))];
    while start < end {
        let length = zeros.len().min(usize::try_from(end - start).unwrap_or(zeros.len()));
        file.write_at(&zeros[..length], start)?;
        start += length as u64;
    }
    Ok(())
}

/// Where the last whole frame of a segment ends, and what follows it.
#[derive(Debug, PartialEq, Eq)]
pub enum Tail {
    /// Nothing was written there.
    Clean,
    /// A write that was never acknowledged.
    Torn,
    /// Something durable is broken: a whole frame of a later batch follows.
    Damaged,
}

/// Judges the bytes after the last whole frame, which was of `batch`.
pub fn judge(rest: &[u8], batch: u32, batch_ended: bool) -> Tail {
    let Some(first) = rest.iter().position(|byte| *byte != 0) else {
        return Tail::Clean;
    };
    // What is broken belongs to this batch or, if this one is complete, to the next.
    let broken = batch + u32::from(batch_ended);
    // A frame begins with its length, whose low byte may be zero: step back over what may be its beginning.
    let mut at = first.saturating_sub(FRAME_OVERHEAD);
    while at < rest.len() {
        if read_frame(&rest[at..]).is_some_and(|frame| frame.batch > broken) {
            return Tail::Damaged;
        }
        at += 1;
    }
    Tail::Torn
}

/// Makes `name` durable under `to`: renames and syncs the folder.
pub fn publish(disk: &dyn Disk, from: &Path, to: &Path, folder: &Path) -> io::Result<()> {
    disk.rename(from, to)?;
    disk.sync_folder(folder)
}
