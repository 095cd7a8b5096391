//! A backup as bytes.

use std::io;

use bytes::Bytes;
use thiserror::Error;

use super::{Backup, FORMAT, Header};
use crate::authority::Sealed;

const MAGIC: &[u8; 8] = b"SCHEDBAK";
const PROLOGUE: usize = 12;
/// Bytes of a section before its body.
const OVERHEAD: usize = 1 + 8 + HASH_BYTES;
const HASH_BYTES: usize = 32;
/// Bytes of state in one section, so that damage is found where it is and a reader needs no more at a time.
pub const PIECE_BYTES: usize = 1 << 20;

const HEADER: u8 = 1;
const STATE: u8 = 2;
const CERTIFICATE: u8 = 3;
const KEY: u8 = 4;
const END: u8 = 5;

/// A file is no backup, or not a whole one.
#[derive(Debug, Error)]
pub enum ReadBackup {
    /// It is something else.
    #[error("this is no backup: it does not begin as one does")]
    Other,
    /// A newer release wrote it.
    #[error("the backup has format {0}, newer than this program's {FORMAT}")]
    Newer(u32),
    /// It ends too early.
    #[error("the backup is cut off at offset {offset}: it has no end")]
    CutOff {
        /// Where, in bytes.
        offset: usize,
    },
    /// Bytes are not what was written.
    #[error("the backup is damaged at offset {offset}: {reason}")]
    Damaged {
        /// Where, in bytes.
        offset: usize,
        /// What is wrong.
        reason: String,
    },
    /// It can't be read.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// The bytes of a backup, piece by piece.
pub fn pieces(backup: &Backup) -> Vec<Bytes> {
    let json = |value: serde_json::Result<Vec<u8>>| value.expect("strings and numbers are JSON");
    let mut hasher = blake3::Hasher::new();
    let mut pieces = Vec::new();
    let mut put = |piece: Vec<u8>| {
        hasher.update(&piece);
        pieces.push(Bytes::from(piece));
    };
    let mut prologue = MAGIC.to_vec();
    prologue.extend(FORMAT.to_le_bytes());
    put(prologue);
    put(section(HEADER, &json(serde_json::to_vec(&backup.header))));
    for piece in backup.state.chunks(PIECE_BYTES) {
        put(section(STATE, piece));
    }
    put(section(CERTIFICATE, backup.certificate_pem.as_bytes()));
    if let Some(sealed) = &backup.sealed {
        put(section(KEY, &json(serde_json::to_vec(sealed))));
    }
    let all = *hasher.finalize().as_bytes();
    pieces.push(Bytes::from(section(END, &all)));
    pieces
}

fn section(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut section = Vec::with_capacity(OVERHEAD + body.len());
    section.push(kind);
    section.extend((body.len() as u64).to_le_bytes());
    section.extend(hash(&section[..9], body));
    section.extend_from_slice(body);
    section
}

fn hash(head: &[u8], body: &[u8]) -> [u8; HASH_BYTES] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(head);
    hasher.update(body);
    *hasher.finalize().as_bytes()
}

/// The backup of these bytes, every hash checked.
pub fn read(bytes: &[u8]) -> Result<Backup, ReadBackup> {
    let format = bytes.get(MAGIC.len()..PROLOGUE).and_then(|format| Some(u32::from_le_bytes(format.try_into().ok()?)));
    let Some(format) = format.filter(|_| bytes.starts_with(MAGIC)) else { return Err(ReadBackup::Other) };
    if format > FORMAT {
        return Err(ReadBackup::Newer(format));
    }
    let mut offset = PROLOGUE;
    let mut header: Option<Header> = None;
    let mut state = Vec::new();
    let mut certificate_pem = String::new();
    let mut sealed: Option<Sealed> = None;
    loop {
        let damaged = |reason: &dyn ToString| ReadBackup::Damaged { offset, reason: reason.to_string() };
        let (kind, body) = next(bytes, offset)?;
        match kind {
            HEADER => header = Some(serde_json::from_slice(body).map_err(|error| damaged(&error))?),
            STATE => state.extend_from_slice(body),
            CERTIFICATE => certificate_pem = str::from_utf8(body).map_err(|error| damaged(&error))?.to_string(),
            KEY => sealed = Some(serde_json::from_slice(body).map_err(|error| damaged(&error))?),
            END => {
                if blake3::hash(&bytes[..offset]).as_bytes() != body {
                    return Err(damaged(&"the sections are not those that were written"));
                }
                offset += OVERHEAD + body.len();
                break;
            }
            _ => {}
        }
        offset += OVERHEAD + body.len();
    }
    if bytes.len() != offset {
        return Err(ReadBackup::Damaged { offset, reason: "something follows its end".into() });
    }
    let header = header.ok_or(ReadBackup::Damaged { offset: PROLOGUE, reason: "it has no header".into() })?;
    Ok(Backup { header, state, certificate_pem, sealed })
}

/// The section at `offset`.
fn next(bytes: &[u8], offset: usize) -> Result<(u8, &[u8]), ReadBackup> {
    let cut_off = || ReadBackup::CutOff { offset: bytes.len() };
    let head = bytes.get(offset..offset + OVERHEAD).ok_or_else(cut_off)?;
    let length = head[1..9].try_into().map(u64::from_le_bytes).unwrap_or(u64::MAX);
    let from = offset + OVERHEAD;
    let to = usize::try_from(length).ok().and_then(|length| from.checked_add(length));
    let body = to.and_then(|to| bytes.get(from..to)).ok_or_else(|| match length > bytes.len() as u64 {
        // A length beyond the whole file may be a damaged one as well as that of a file cut off.
        true => ReadBackup::Damaged { offset, reason: "a section is longer than the file".into() },
        false => cut_off(),
    })?;
    if hash(&head[..9], body) != head[9..] {
        return Err(ReadBackup::Damaged { offset, reason: "a section is not what was written".into() });
    }
    Ok((head[0], body))
}

#[cfg(test)]
mod tests {
    use model::{ClusterId, Timestamp};

    use super::*;

    fn backup(state_bytes: usize) -> Backup {
        let header = Header {
            cluster: ClusterId::derive(&[b"c"]),
            epoch: 2,
            index: 77,
            term: 5,
            cluster_version: 1,
            taken_at: Timestamp::from_seconds(9),
            server: 3,
            release: "1".into(),
            contents: "ab".into(),
        };
        let state = (0..state_bytes).map(|at| (at % 251) as u8).collect();
        Backup { header, state, certificate_pem: "pem".into(), sealed: None }
    }

    fn bytes(backup: &Backup) -> Vec<u8> {
        pieces(backup).concat()
    }

    #[test]
    fn a_backup_is_read_back_whatever_the_size_of_its_state() {
        for size in [0, 1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 3 * PIECE_BYTES] {
            let backup = backup(size);
            assert_eq!(read(&bytes(&backup)).unwrap(), backup, "{size}");
        }
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_noticed() {
        let whole = bytes(&backup(300));
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 1 << (at % 8);
            assert!(read(&damaged).is_err(), "a flip at {at} is not noticed");
            assert!(read(&whole[..at]).is_err(), "a cut at {at} is not noticed");
        }
        let mut longer = whole.clone();
        longer.push(0);
        assert!(matches!(read(&longer), Err(ReadBackup::Damaged { offset, .. }) if offset == whole.len()));
    }

    #[test]
    fn sections_out_of_order_and_twice_are_noticed() {
        let parts = pieces(&backup(2 * PIECE_BYTES));
        let swapped: Vec<&[u8]> = [0, 1, 3, 2, 4, 5].iter().map(|at| &parts[*at][..]).collect();
        assert!(matches!(read(&swapped.concat()), Err(ReadBackup::Damaged { .. })));
        let missing: Vec<&[u8]> = [0, 1, 2, 4, 5].iter().map(|at| &parts[*at][..]).collect();
        assert!(matches!(read(&missing.concat()), Err(ReadBackup::Damaged { .. })));
    }

    #[test]
    fn a_newer_format_is_refused() {
        let mut newer = bytes(&backup(1));
        newer[8..12].copy_from_slice(&(FORMAT + 1).to_le_bytes());
        assert!(matches!(read(&newer), Err(ReadBackup::Newer(2))));
        assert!(matches!(read(b"something else entirely"), Err(ReadBackup::Other)));
    }
}
