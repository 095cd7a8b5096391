//! Backups: the cluster at one index in one file, and what a new cluster needs to go on from it.
//!
//! ```text
//! file    = "SCHEDBAK" | format u32 | section*                             (little endian)
//! section = kind u8 | length u64 | BLAKE3 of kind, length and body (32 bytes) | body
//! kinds     1 header  what the backup is of: a [`Header`], in JSON; the first section
//!           2 state   a piece of the state as a snapshot holds it; in order
//!           3 certificate of the authority, PEM
//!           4 key     of the authority, sealed: a [`Sealed`], in JSON; only where a passphrase was given
//!           5 end     the BLAKE3 of everything before it; the last section
//! ```
//!
//! A file is written from beginning to end, so it can be streamed. Damage is told with its offset. A section of a kind
//! that this release does not know is skipped: its hash is checked all the same.

mod compare;
mod file;
#[cfg(test)]
mod golden;
mod restore;

use model::{ClusterId, Index, ServerId, Term, Timestamp};
use serde::{Deserialize, Serialize};

use crate::authority::Sealed;

pub use compare::{Compared, Difference, Table, compare};
pub use file::{PIECE_BYTES, ReadBackup, pieces, read};
pub use restore::{RAFT_FOLDER, RestoreError, Restored, going_on, prepare_first, restore};

/// The layout of backups; a file of a later one is refused.
pub const FORMAT: u32 = 1;

/// What a backup is of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The cluster.
    pub cluster: ClusterId,
    /// How often it was restored before.
    pub epoch: u64,
    /// The index at which the state stands.
    pub index: Index,
    /// The term of the last entry in it.
    pub term: Term,
    /// The version that all its servers spoke.
    pub cluster_version: u32,
    /// When it was taken.
    pub taken_at: Timestamp,
    /// The server that wrote it.
    pub server: ServerId,
    /// The release of that server.
    pub release: String,
    /// BLAKE3 of what a restore keeps, in hexadecimal.
    pub contents: String,
}

/// A backup, read and checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backup {
    /// What it is of.
    pub header: Header,
    /// The state, encoded.
    pub state: Vec<u8>,
    /// The authority's certificate; empty where the server that wrote it had none.
    pub certificate_pem: String,
    /// The authority's key; none if no passphrase was given.
    pub sealed: Option<Sealed>,
}
