//! One record of the log and its frame in a segment.

use std::io;

use prost::Message;

use crate::raft::encoding::{EntryMessage, LogIdMessage, VoteMessage, decode, missing};
use crate::raft::types::{Entry, LogId, Vote};

/// What is written to the log.
#[derive(Clone, Debug, PartialEq)]
pub enum Record {
    /// The first of each segment.
    Header(HeaderMessage),
    /// The server's vote.
    Vote(Vote),
    /// An entry, after the one before it.
    Entry(Entry),
    /// Entries after this position (all, if none) are void.
    Truncate(Option<LogId>),
    /// Entries up to this position are in a snapshot.
    Purge(LogId),
    /// Entries up to this position are committed.
    Committed(Option<LogId>),
}

/// Who wrote a segment, and what the segments before it add up to, so that they can be deleted.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct HeaderMessage {
    #[prost(uint32, tag = "1")]
    pub format: u32,
    #[prost(bytes = "vec", tag = "2")]
    pub cluster: Vec<u8>,
    #[prost(uint64, tag = "3")]
    pub server: u64,
    #[prost(uint64, tag = "4")]
    pub sequence: u64,
    /// Where the segment before this one ends, in bytes.
    #[prost(uint64, tag = "5")]
    pub previous_length: u64,
    #[prost(message, optional, tag = "6")]
    pub vote: Option<VoteMessage>,
    #[prost(message, optional, tag = "7")]
    pub purged: Option<LogIdMessage>,
    #[prost(message, optional, tag = "8")]
    pub committed: Option<LogIdMessage>,
    /// The size that the segment was made with, in bytes: a file that is shorter has been cut. 0 in segments of before.
    #[prost(uint64, tag = "9")]
    pub capacity: u64,
}

/// A position that may be none.
#[derive(Clone, PartialEq, Eq, Message)]
struct PositionMessage {
    #[prost(message, optional, tag = "1")]
    log_id: Option<LogIdMessage>,
}

/// A frame that was found whole.
#[derive(Debug)]
pub struct Frame<'a> {
    pub batch: u32,
    pub ends_batch: bool,
    kind: u8,
    body: &'a [u8],
    /// How many bytes it takes.
    pub length: usize,
}

/// Bytes of a frame before its body.
pub const FRAME_OVERHEAD: usize = 13;
const CHECKED_FROM: usize = 8;
const ENDS_BATCH: u8 = 0x80;

/// Appends a record's frame to `buffer`.
pub fn push_frame(buffer: &mut Vec<u8>, record: &Record, batch: u32) {
    let start = buffer.len();
    buffer.extend_from_slice(&[0; CHECKED_FROM]);
    buffer.extend_from_slice(&batch.to_le_bytes());
    buffer.push(kind_of(record));
    match record {
        Record::Header(header) => header.encode(buffer),
        Record::Vote(vote) => VoteMessage::from(*vote).encode(buffer),
        Record::Entry(entry) => EntryMessage::from(entry).encode(buffer),
        Record::Truncate(log_id) | Record::Committed(log_id) => {
            PositionMessage { log_id: (*log_id).map(Into::into) }.encode(buffer)
        }
        Record::Purge(log_id) => LogIdMessage::from(*log_id).encode(buffer),
    }
    .expect("a vector grows as needed");
    let length = u32::try_from(buffer.len() - start - CHECKED_FROM).expect("a record is smaller than 4 GiB");
    buffer[start..start + 4].copy_from_slice(&length.to_le_bytes());
    check(&mut buffer[start..]);
}

/// Marks `frame`, which must be one whole frame, as the last of its batch.
pub fn end_batch(frame: &mut [u8]) {
    frame[12] |= ENDS_BATCH;
    check(frame);
}

/// The frame that begins `bytes`, if there is a whole one.
pub fn read_frame(bytes: &[u8]) -> Option<Frame<'_>> {
    let word = |at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    let length = CHECKED_FROM.checked_add(usize::try_from(word(0)?).ok()?)?;
    if length < FRAME_OVERHEAD {
        return None;
    }
    let frame = bytes.get(..length)?;
    let kind = frame[12] & !ENDS_BATCH;
    if !(1..=6).contains(&kind) || checksum(frame) != word(4)? {
        return None;
    }
    Some(Frame {
        batch: word(8)?,
        ends_batch: frame[12] & ENDS_BATCH != 0,
        kind,
        body: &frame[FRAME_OVERHEAD..],
        length,
    })
}

impl Frame<'_> {
    /// The record in it. The frame is whole, so an error here means that it was written by something else.
    pub fn record(&self) -> io::Result<Record> {
        let position = |body| Ok(decode::<PositionMessage>(body)?.log_id.map(Into::into));
        match self.kind {
            1 => Ok(Record::Header(decode(self.body)?)),
            2 => Ok(Record::Vote(decode::<VoteMessage>(self.body)?.into())),
            3 => Ok(Record::Entry(decode::<EntryMessage>(self.body)?.into_entry()?)),
            4 => position(self.body).map(Record::Truncate),
            5 => Ok(Record::Purge(decode::<LogIdMessage>(self.body)?.into())),
            6 => position(self.body).map(Record::Committed),
            _ => Err(missing("known kind")),
        }
    }
}

fn kind_of(record: &Record) -> u8 {
    match record {
        Record::Header(_) => 1,
        Record::Vote(_) => 2,
        Record::Entry(_) => 3,
        Record::Truncate(_) => 4,
        Record::Purge(_) => 5,
        Record::Committed(_) => 6,
    }
}

fn check(frame: &mut [u8]) {
    let checksum = checksum(frame);
    frame[4..8].copy_from_slice(&checksum.to_le_bytes());
}

/// Covers the length too, so that a flipped bit in it does not make the reader trust another frame's bytes.
fn checksum(frame: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&frame[..4]);
    hasher.update(&frame[CHECKED_FROM..]);
    hasher.finalize()
}
