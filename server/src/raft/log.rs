//! The write-ahead log: votes and entries in one ordered stream of records, in segments of a fixed size.
//!
//! ```text
//! segment   = frame*  then zeros up to its size (segments are preallocated)
//! frame     = length u32 | crc32 u32 | batch u32 | kind u8 | body        (little endian; length counts from `batch`)
//! first frame of a segment = its header: who wrote it, and the vote, purge and commit positions up to there
//! ```
//!
//! All frames that are written between two fsyncs are one batch; the last of them says so, and without it the batch does
//! not count. Batch n + 1 is begun only after batch n is durable, which is what lets [`recovery`] tell a torn write, which
//! nobody was promised, from damage to what was promised: if a frame is broken and a frame of a later batch is whole, the
//! broken one had been synced. So that this holds for the last batch too, the next is begun at once with a *mark*, a frame
//! that says nothing new; it is synced with the next batch, or after a second of quiet. (Damage to the very last batch
//! together with a power cut within that second looks like a torn write; only a second copy could tell them apart.)
//!
//! A segment's header says how large it was made and where the segment before it ended, so that a file that was cut is
//! found out as well.
//!
//! Entries since the last snapshot are also held in memory, so that reads never touch the files. What this module does
//! not do: decide anything, know what a command means, or retry after a failed fsync (the log is then poisoned, and
//! the server must stop). Only a lack of room for the next segment passes: nothing of the log was touched then, so
//! records wait for room, and new commands are refused meanwhile.

mod contents;
mod record;
mod recovery;
mod segment;
mod segments;
mod writer;

use std::io;
use std::path::{Path, PathBuf};

use model::{ClusterId, ServerId};
use thiserror::Error;

pub use contents::Contents;
#[cfg(test)]
pub use contents::size;
pub use record::Record;
pub use recovery::recover;
pub use segment::is_full;
pub use segments::Segments;
#[cfg(test)]
pub use segments::WriteRecords;
pub use writer::{Done, Writer};

/// The layout of segments; a file of a later one is refused.
pub const FORMAT: u32 = 1;

/// What a person does about a damaged file. Snapshots say the same.
pub const HINT: &str = "a server must not go on with damaged files: `sched server rejoin` on this host keeps them aside \
                        and brings the server back under a new id, with what the others have";

/// Where a log lives and whose it is.
#[derive(Clone, Debug)]
pub struct LogConfig {
    /// The folder of the segments.
    pub folder: PathBuf,
    /// Size of a segment in bytes; one that must hold a larger record is as large as that needs.
    pub segment_bytes: u64,
    /// The cluster it belongs to.
    pub cluster: ClusterId,
    /// The server it belongs to.
    pub server: ServerId,
}

/// The log can't be opened.
#[derive(Debug, Error)]
pub enum OpenLogError {
    /// Bytes that were once durable are not what was written.
    #[error(
        "{} is damaged at offset {offset}: {reason}; {}",
        file.display(),
        HINT
    )]
    Damaged {
        /// The segment.
        file: PathBuf,
        /// Where in it, in bytes.
        offset: u64,
        /// What is wrong there.
        reason: String,
    },
    /// Entries are in no snapshot and no longer in the log.
    #[error(
        "the log in {} begins after entry {purged}, and the newest snapshot holds less: {held}; {}",
        folder.display(),
        HINT
    )]
    Gap {
        /// The folder of the log.
        folder: PathBuf,
        /// The last entry that was purged from the log.
        purged: u64,
        /// What the newest snapshot holds.
        held: String,
    },
    /// The disk failed.
    #[error("can't read the log in {}", folder.display())]
    Io {
        /// The folder of the log.
        folder: PathBuf,
        /// What the disk said.
        #[source]
        source: io::Error,
    },
}

fn in_folder(folder: &Path) -> impl Fn(io::Error) -> OpenLogError + '_ {
    |source| OpenLogError::Io { folder: folder.to_path_buf(), source }
}

#[cfg(test)]
mod tests;
