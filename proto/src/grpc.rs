//! The network seam over gRPC: HTTP/2 and mutual TLS 1.3, one connection per peer, many calls and conversations on it.
//!
//! A server's certificate is asked for always, a client's only if it has one: whoever joins has none yet. Who a peer is
//! comes from the URI in its certificate ([`crate::identity`]), never from what it says. Certificates are read once,
//! when a dialer or a listener starts; a renewed one counts after a restart. Nothing is retried here.

use std::time::Duration;

mod answer;
mod conversation;
mod dialer;
mod join;
mod link;
mod serve;
mod tls;

pub use dialer::GrpcDialer;
pub use join::{AUTHORITY_HASH_BYTES, AuthorityHash, ask_to_join, authority_hash};
pub use serve::serve;
pub use tls::TlsError;

/// The longest encoded message, in either direction. A snapshot travels in pieces.
pub const MESSAGE_BYTES_MAX: usize = 16 << 20;
/// The longest message that is read from somebody without a certificate: a request to join is a tenth of it.
pub const ANONYMOUS_MESSAGE_BYTES_MAX: usize = 64 << 10;
/// How long a peer may take to accept a connection and prove itself, where nothing else is configured.
pub const CONNECT_TIMEOUT_DEFAULT: Duration = Duration::from_millis(250);
/// How long whoever connects to us may take for the TLS handshake.
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);
/// How long somebody without a certificate may stay connected.
pub const ANONYMOUS_CONNECTION_MAX: Duration = Duration::from_secs(30);
/// Connections that a listener holds at once; further ones wait in the system's queue until one of these ends.
pub const CONNECTIONS_MAX: usize = 32_768;
/// How long running calls have to end when a listener stops.
pub const SHUTDOWN_GRACE: Duration = Duration::from_secs(1);

/// After so long without a word from the other end, it is asked for a sign of life.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(2);
/// A connection whose other end gives no sign of life for so long is broken.
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(2);
/// Bytes in flight for one call or conversation.
const STREAM_WINDOW_BYTES: u32 = 1 << 20;
/// Bytes in flight on one connection.
const CONNECTION_WINDOW_BYTES: u32 = 8 << 20;
/// Calls and conversations that one peer may have running on one connection.
const STREAMS_MAX: u32 = 1024;
/// Calls that a peer has given up before a busy listener got round to them; one more ends the connection. A listener
/// that was held for a moment must not lose its peers for what they gave up meanwhile, each a heartbeat or a vote; the
/// library's own bound of 20 is for strangers.
const GIVEN_UP_MAX: usize = 1024;

#[cfg(test)]
mod tests;
