//! What stands in the log: a command with what its proposer put there, and its encoding.
//!
//! An entry is `{format, kind, min_reader, flags, body}`. The body is MessagePack with field names, so that it can gain
//! fields. A reader that meets a kind or a `min_reader` beyond its own stops before it applies.

use model::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::Command;

/// The encoding of entries that this release writes.
const FORMAT: u8 = 1;
/// The newest `min_reader` that this release understands.
const READER: u16 = 1;
/// Bytes of the header before the body.
const HEADER_BYTES: usize = 7;
/// What a body begins with: that of a map of four, whose first key is `at`.
const BEFORE_TIME: &[u8] = b"\x84\xa2at";
/// Bytes of the largest time.
const TIME_BYTES_MAX: usize = 9;

/// A command with what the proposer put there: nothing of it is read from a clock when it is applied.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// When it was put into the log, by the leader's clock.
    pub at: Timestamp,
    /// Chosen by the client; an entry of a request that was already applied is answered, not applied again.
    pub request: Option<[u8; 16]>,
    /// Who asked, for the audit.
    pub caller: String,
    /// The command.
    pub command: Command,
}

/// The bytes are not an entry that this release can apply. The server stops: guessing would fork the state.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DecodeEntry {
    /// The bytes end before the header does.
    #[error("a log entry has only {bytes} bytes")]
    Short {
        /// Bytes present.
        bytes: usize,
    },
    /// Written by a newer release.
    #[error("a log entry of format {format}, kind {kind} needs a reader of version {min_reader}; this is {READER}")]
    Newer {
        /// Its format.
        format: u8,
        /// Its kind.
        kind: u16,
        /// The reader that it needs.
        min_reader: u16,
    },
    /// The body does not decode.
    #[error("a log entry of kind {kind} does not decode: {reason}")]
    Body {
        /// Its kind.
        kind: u16,
        /// What is wrong.
        reason: String,
    },
}

impl Entry {
    /// The entry's bytes in the log.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(256);
        bytes.push(FORMAT);
        bytes.extend(self.command.kind().to_le_bytes());
        bytes.extend(READER.to_le_bytes());
        bytes.extend(0u16.to_le_bytes());
        let mut serializer = rmp_serde::Serializer::new(&mut bytes).with_struct_map();
        self.serialize(&mut serializer).expect("every command can be written to memory");
        bytes
    }

    /// The entry of these bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeEntry> {
        let Some((header, body)) = bytes.split_at_checked(HEADER_BYTES) else {
            return Err(DecodeEntry::Short { bytes: bytes.len() });
        };
        let kind = u16::from_le_bytes([header[1], header[2]]);
        let min_reader = u16::from_le_bytes([header[3], header[4]]);
        if header[0] != FORMAT || min_reader > READER {
            return Err(DecodeEntry::Newer { format: header[0], kind, min_reader });
        }
        rmp_serde::from_slice(body).map_err(|error| DecodeEntry::Body { kind, reason: error.to_string() })
    }

    /// The bytes of an entry, with another time in it; the rest is not read. None if they don't begin as an entry's do.
    pub fn stamped(bytes: &[u8], at: Timestamp) -> Option<Vec<u8>> {
        let (before, after) = around_time(bytes)?;
        let mut stamped = Vec::with_capacity(bytes.len() + TIME_BYTES_MAX);
        stamped.extend(before);
        at.serialize(&mut rmp_serde::Serializer::new(&mut stamped)).expect("a time can be written to memory");
        stamped.extend(after);
        Some(stamped)
    }
}

/// What stands before an entry's time in its bytes, and after it.
fn around_time(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let begin = HEADER_BYTES + BEFORE_TIME.len();
    let before = bytes.get(..begin).filter(|before| before.ends_with(BEFORE_TIME))?;
    let mut rest = &bytes[begin..];
    Timestamp::deserialize(&mut rmp_serde::Deserializer::new(&mut rest)).ok()?;
    Some((before, rest))
}

#[cfg(test)]
mod tests {
    use model::JobKey;
    use serde_json::json;

    use super::*;

    #[test]
    fn an_entry_that_ends_within_its_header_is_short_and_one_that_ends_after_it_has_no_body() {
        let command = Command::EvaluateJob { job: JobKey::new("default", "web"), force_reschedule: false };
        let entry = Entry { at: Timestamp(1), request: Some([7; 16]), caller: "ann".into(), command };
        let bytes = entry.encode();
        assert_eq!(Entry::decode(&bytes), Ok(entry));
        let short = HEADER_BYTES - 1;
        assert_eq!(Entry::decode(&bytes[..short]), Err(DecodeEntry::Short { bytes: short }));
        assert!(matches!(Entry::decode(&bytes[..HEADER_BYTES]), Err(DecodeEntry::Body { .. })));
    }

    #[test]
    fn an_entry_is_stamped_with_any_time_and_stays_what_it_is() {
        let command = Command::EvaluateJob { job: JobKey::new("default", "web"), force_reschedule: false };
        let mut entry = Entry { at: Timestamp(1), request: Some([7; 16]), caller: "ann".into(), command };
        let mut bytes = entry.encode();
        for time in [0, 127, 1 << 20, i64::MAX, -1, i64::MIN, 1_767_225_600_000_000_000] {
            entry.at = Timestamp(time);
            bytes = Entry::stamped(&bytes, entry.at).unwrap();
            assert_eq!(bytes, entry.encode(), "{time}");
        }
        for strange in [&bytes[..HEADER_BYTES], &bytes[1..], b""] {
            assert_eq!(Entry::stamped(strange, Timestamp(5)), None);
        }
    }

    #[test]
    fn an_entry_for_a_newer_reader_is_not_applied() {
        let entry = Entry {
            at: Timestamp(1),
            request: None,
            caller: String::new(),
            command: Command::EvaluateJob { job: JobKey::new("default", "web"), force_reschedule: false },
        };
        let mut bytes = entry.encode();
        bytes[3..5].copy_from_slice(&(READER + 1).to_le_bytes());
        let kind = entry.command.kind();
        let newer = DecodeEntry::Newer { format: FORMAT, kind, min_reader: READER + 1 };
        assert_eq!(Entry::decode(&bytes), Err(newer));
    }

    /// What stands in the log from before the whole vocabulary was in the model, and in images of the state.
    #[test]
    fn a_job_of_an_older_release_is_read_from_its_bytes() {
        let mut old = serde_json::to_value(model::testing::job("web")).unwrap();
        old["Kept"] = json!({ "Periodic": { "Spec": "@daily" } });
        old["Meta"] = json!({});
        old["Constraints"] = json!([]);
        let group = old["TaskGroups"][0].as_object_mut().unwrap();
        for name in ["Volumes", "Scaling", "Consul", "MaxRunDuration"] {
            group.remove(name);
        }
        group.insert("Kept".into(), json!({ "Scaling": { "Max": 3 } }));
        let bytes = rmp_serde::to_vec_named(&old).unwrap();
        assert_eq!(rmp_serde::from_slice::<model::Job>(&bytes).unwrap(), model::testing::job("web"));
        let bytes = rmp_serde::to_vec_named(&model::testing::job("web")).unwrap();
        assert_eq!(rmp_serde::from_slice::<model::Job>(&bytes).unwrap(), model::testing::job("web"));
    }
}
