//! Snapshots as files: the newest is all that is kept.
//!
//! ```text
//! file   = "SCHEDSNP" | header length u32 | header crc32 u32 | header | data      (little endian)
//! header = format, cluster, last log id, membership, length and crc32 of the data  (HeaderMessage)
//! ```
//!
//! A file is written under another name, synced, renamed, and its folder synced, so that a snapshot is there as a whole
//! or not at all. Large ones are synced piece by piece: one sync of everything would hold up those of the log. All calls
//! block; the state machine makes them through [`Blocking`](seams::Blocking).

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use model::ClusterId;
use prost::Message;
use seams::Disk;

use super::encoding::{LogIdMessage, StoredMembershipMessage, decode};
use super::types::{Snapshot, SnapshotMeta};

const MAGIC: &[u8; 8] = b"SCHEDSNP";
const FORMAT: u32 = 1;
const EXTENSION: &str = "snapshot";
/// Bytes before the header: magic, header length, header checksum.
const PREFIX: usize = 16;
/// Bytes that are written between two syncs.
const SYNCED_BYTES: usize = 16 << 20;
/// A snapshot that is not there as a whole yet.
const UNFINISHED: &str = "unfinished";

/// The folder of a server's snapshots.
#[derive(Clone)]
pub struct Snapshots {
    disk: Arc<dyn Disk>,
    folder: PathBuf,
    cluster: ClusterId,
}

#[derive(Clone, PartialEq, Eq, Message)]
struct HeaderMessage {
    #[prost(uint32, tag = "1")]
    format: u32,
    #[prost(bytes = "vec", tag = "2")]
    cluster: Vec<u8>,
    #[prost(message, optional, tag = "3")]
    last: Option<LogIdMessage>,
    #[prost(message, optional, tag = "4")]
    membership: Option<StoredMembershipMessage>,
    #[prost(uint64, tag = "5")]
    data_length: u64,
    #[prost(uint32, tag = "6")]
    data_crc32: u32,
}

/// Why a file can't be used, and where that was found.
struct Unusable {
    offset: usize,
    reason: String,
}

impl Snapshots {
    /// The snapshots in `folder`, which is made if there is none. What a crash left half written is removed.
    pub fn open(disk: Arc<dyn Disk>, folder: PathBuf, cluster: ClusterId) -> io::Result<Self> {
        disk.create_folder(&folder)?;
        let snapshots = Self { disk, folder, cluster };
        snapshots.remove_all_but(snapshots.newest()?.as_deref())?;
        Ok(snapshots)
    }

    /// Writes a snapshot; it replaces the one before.
    pub fn save(&self, snapshot: &Snapshot) -> io::Result<()> {
        let header = HeaderMessage {
            format: FORMAT,
            cluster: self.cluster.as_bytes().to_vec(),
            last: snapshot.meta.last_log_id.map(Into::into),
            membership: Some((&snapshot.meta.last_membership).into()),
            data_length: snapshot.snapshot.len() as u64,
            data_crc32: crc32fast::hash(&snapshot.snapshot),
        }
        .encode_to_vec();
        let mut prefix = Vec::with_capacity(PREFIX + header.len());
        prefix.extend_from_slice(MAGIC);
        prefix.extend_from_slice(&u32::try_from(header.len()).map_err(io::Error::other)?.to_le_bytes());
        prefix.extend_from_slice(&crc32fast::hash(&header).to_le_bytes());
        prefix.extend_from_slice(&header);

        let unfinished = self.folder.join(UNFINISHED);
        if let Err(error) = self.write(&unfinished, &[&prefix, &snapshot.snapshot]) {
            // What there was of it would take the room that a full disk lacks. A second error says nothing new.
            let _ = self.disk.remove(&unfinished);
            return Err(error);
        }
        let path = self.path(&snapshot.meta);
        self.disk.rename(&unfinished, &path)?;
        self.disk.sync_folder(&self.folder)?;
        self.remove_all_but(Some(&path))
    }

    fn write(&self, path: &Path, parts: &[&[u8]]) -> io::Result<()> {
        let file = self.disk.open(path)?;
        file.set_len(0)?;
        let mut offset = 0;
        for piece in parts.iter().flat_map(|part| part.chunks(SYNCED_BYTES)) {
            file.write_at(piece, offset)?;
            file.sync()?;
            offset += piece.len() as u64;
        }
        Ok(())
    }

    /// The newest snapshot, checked; none if there never was one. A damaged one is an error: what it held is in no log.
    pub fn load(&self) -> io::Result<Option<Snapshot>> {
        let Some(path) = self.newest()? else { return Ok(None) };
        let bytes = Bytes::from(self.disk.open(&path)?.read_all()?);
        self.parse(bytes).map(Some).map_err(|Unusable { offset, reason }| {
            let file = path.display();
            io::Error::new(
                io::ErrorKind::InvalidData,
                format!("{file} is damaged at offset {offset}: {reason}; {}", super::log::HINT),
            )
        })
    }

    fn parse(&self, bytes: Bytes) -> Result<Snapshot, Unusable> {
        let at = |offset: usize, reason: &str| Unusable { offset, reason: reason.to_string() };
        let word = |at: usize| bytes.get(at..at + 4).and_then(|word| Some(u32::from_le_bytes(word.try_into().ok()?)));
        let (Some(length), Some(checksum)) = (word(8), word(12)) else {
            return Err(at(bytes.len(), "the snapshot ends here"));
        };
        if &bytes[..8] != MAGIC {
            return Err(at(0, "it does not begin as a snapshot does"));
        }
        let data_at = PREFIX + length as usize;
        let header = bytes.get(PREFIX..data_at).ok_or_else(|| at(8, "its header is longer than the file"))?;
        if crc32fast::hash(header) != checksum {
            return Err(at(8, "its header does not have the checksum that was written"));
        }
        let header: HeaderMessage = decode(header).map_err(|error| at(PREFIX, &error.to_string()))?;
        if header.format > FORMAT {
            let reason = format!("its format {} is newer than this program's {FORMAT}", header.format);
            return Err(at(PREFIX, &reason));
        }
        if header.cluster != self.cluster.as_bytes() {
            return Err(at(PREFIX, "it belongs to another cluster"));
        }
        let data = bytes.slice(data_at..);
        if data.len() as u64 != header.data_length {
            let reason = format!("it was written with {} bytes of data and has {}", header.data_length, data.len());
            return Err(at(bytes.len(), &reason));
        }
        if crc32fast::hash(&data) != header.data_crc32 {
            return Err(at(data_at, "its data, which begins there, does not have the checksum that was written"));
        }
        let membership = header.membership.unwrap_or_default().try_into();
        let membership = membership.map_err(|error: io::Error| at(PREFIX, &error.to_string()))?;
        let meta = SnapshotMeta { last_log_id: header.last.map(Into::into), last_membership: membership };
        Ok(Snapshot { meta, snapshot: data })
    }

    fn path(&self, meta: &SnapshotMeta) -> PathBuf {
        let (term, index) = meta.last_log_id.map_or((0, 0), |last| (last.committed_leader_id().term, last.index()));
        self.folder.join(format!("{index:020}-{term}.{EXTENSION}"))
    }

    fn newest(&self) -> io::Result<Option<PathBuf>> {
        let mut paths = self.disk.list(&self.folder)?;
        paths.retain(|path| path.extension().is_some_and(|extension| extension == EXTENSION));
        Ok(paths.pop())
    }

    fn remove_all_but(&self, kept: Option<&Path>) -> io::Result<()> {
        for path in self.disk.list(&self.folder)? {
            if Some(path.as_path()) != kept {
                self.disk.remove(&path)?;
            }
        }
        self.disk.sync_folder(&self.folder)
    }
}
