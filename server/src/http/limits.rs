//! Every limit of the HTTP listener, with its name and unit.

use std::time::Duration;

/// Connections at a time; more wait to be accepted.
pub(super) const CONNECTIONS_MAX: usize = 4096;
/// Time in which a request's head must have arrived.
pub(super) const HEADER_READ_MAX: Duration = Duration::from_secs(10);
/// Time in which a request's body must have arrived.
pub(super) const BODY_READ_MAX: Duration = Duration::from_secs(30);
/// Time in which answers that are under way may end after shutdown began.
pub(super) const SHUTDOWN_GRACE: Duration = Duration::from_secs(5);

/// Bytes of a body that carries a job's document: the document in JSON, and the text that it was made from.
pub(super) const DOCUMENT_BODY_BYTES_MAX: usize = 2 * server_core::limits::JOB_DOCUMENT_BYTES_MAX + 1024 * 1024;
/// Bytes of a body that is a backup.
pub(super) const BACKUP_BODY_BYTES_MAX: usize = 1 << 30;
/// Bytes of any other body.
pub(super) const BODY_BYTES_MAX: usize = 64 * 1024;

/// The longest wait of a blocking query, and its default.
pub(super) const WAIT_MAX: Duration = Duration::from_secs(300);
/// A wait is lengthened at random by up to its own length over this, so that many do not end at once.
pub(super) const WAIT_JITTER_DIVISOR: u32 = 16;

/// Time between signs of life on an event stream.
pub(super) const EVENT_HEARTBEAT: Duration = Duration::from_secs(3);
/// Entries of the log whose events are written to a client at a time.
pub(super) const EVENT_BATCH_MAX: usize = 64;
/// Time between signs of life on a stream of log frames.
pub(super) const LOG_HEARTBEAT: Duration = Duration::from_secs(1);
/// Bytes of log data in one frame.
pub(super) const LOG_FRAME_BYTES_MAX: usize = 64 * 1024;
/// How long an agent's refusal may take before a stream of logs is begun without it.
pub(super) const LOG_FIRST_FRAME_WAIT: Duration = Duration::from_secs(1);
/// How long an agent may take for an answer that is not a stream.
pub(super) const ORDER_MAX: Duration = Duration::from_secs(30);
/// Bytes of an agent's answer that is not a stream.
pub(super) const ORDER_ANSWER_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Characters of a `filter` expression.
pub(super) const FILTER_BYTES_MAX: usize = 4096;
/// Nesting of a `filter` expression.
pub(super) const FILTER_DEPTH_MAX: usize = 32;
/// Matches of one kind in a search.
pub(super) const SEARCH_MATCHES_MAX: usize = 20;
/// Candidates named when the beginning of an id is ambiguous.
pub(super) const CANDIDATES_MAX: usize = 10;
/// Characters that the beginning of an id must have to stand for the whole.
pub(super) const ID_PREFIX_MIN: usize = 4;
/// Characters of a request id that a client chose.
pub(super) const REQUEST_ID_BYTES_MAX: usize = 128;
/// Characters of a volume's name.
pub(super) const VOLUME_NAME_CHARS_MAX: usize = 128;
/// Ways to use a volume that one may offer: there are four kinds of access, each as a folder or as a device.
pub(super) const VOLUME_CAPABILITIES_MAX: usize = 8;
/// Batches of what is over that one request forgets; the leader goes on with the rest.
pub(super) const COLLECT_BATCHES_MAX: usize = 100;
