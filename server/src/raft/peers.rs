//! How servers reach each other. The shell adapts this to the real network, the simulation to its own.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use model::ServerId;
use thiserror::Error;
use tokio::sync::mpsc;

/// Carries messages to other servers. A message is opaque; it names the cluster and the server that it is meant for, and
/// the receiver refuses what is meant for another.
#[async_trait]
pub trait Peers: Send + Sync + 'static {
    /// Sends a message to server `to` at `address` and waits for its reply, which
    /// [`Raft::handle`](super::Raft::handle) gives there. Ends by `deadline` (a span from now); the call is dropped then
    /// in any case.
    async fn call(&self, to: ServerId, address: &str, message: Bytes, deadline: Duration) -> Result<Bytes, PeerError>;

    /// Opens a stream of messages to server `to` at `address` and the stream of its replies, in the same order; at the
    /// other end is [`Raft::serve_appends`](super::Raft::serve_appends). Both end when either side drops its half.
    async fn open(
        &self,
        to: ServerId,
        address: &str,
    ) -> Result<(mpsc::Sender<Bytes>, mpsc::Receiver<Bytes>), PeerError>;
}

/// A server can't be reached.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PeerError {
    /// There is no connection, and none can be made now: worth a pause before the next attempt.
    #[error("server can't be reached: {0}")]
    Unreachable(String),
    /// The connection broke, or the reply did not come in time: worth another attempt at once.
    #[error("the connection failed: {0}")]
    Broken(String),
}
