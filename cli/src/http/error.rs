//! What can go wrong between a command and the servers. [`crate::failure`] makes sentences of it.

use std::time::Duration;

use http::StatusCode;

/// Why a call has no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What was given as an address is none.
    #[error("`{given}` is not an address: {reason}")]
    Address {
        /// As it was given.
        given: String,
        /// What is wrong with it.
        reason: String,
    },
    /// None of the addresses accepted a connection.
    #[error("no server answers")]
    Unreachable {
        /// The addresses and what happened at each.
        tried: Vec<(String, String)>,
    },
    /// The servers that answered know no leader.
    #[error("no leader")]
    NoLeader {
        /// The addresses that said so.
        tried: Vec<String>,
    },
    /// No answer in time.
    #[error("no answer from {url} within {after:?}")]
    TimedOut {
        /// What was called.
        url: String,
        /// The time that was given.
        after: Duration,
        /// Whether it may have changed something.
        changes: bool,
    },
    /// The connection broke before the answer was complete.
    #[error("the connection to {url} broke: {reason}")]
    Broken {
        /// What was called.
        url: String,
        /// What happened.
        reason: String,
        /// Whether it may have changed something.
        changes: bool,
    },
    /// An answer with an error status.
    #[error("{url} answered {status}: {body}")]
    Refused {
        /// The status.
        status: StatusCode,
        /// What was called.
        url: String,
        /// The server's words.
        body: String,
    },
    /// An answer that is not JSON, or has another shape.
    #[error("{url} answered something unexpected: {reason}")]
    Nonsense {
        /// What was called.
        url: String,
        /// What is wrong with the answer.
        reason: String,
    },
}

impl Error {
    /// Whether the server said that there is no such thing.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Error::Refused { status: StatusCode::NOT_FOUND, .. })
    }
}

/// The last error of a chain: what the operating system or the protocol said.
pub fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut current = error;
    while let Some(source) = current.source() {
        current = source;
    }
    current.to_string()
}
