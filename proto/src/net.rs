//! The network seam: one question with one answer, or a conversation of typed frames in both directions.
//!
//! Who is at the other end is part of the seam, because authorization needs it. Reconnecting and retrying are not:
//! callers know best what repeating means.

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use async_trait::async_trait;
use futures::{Stream, StreamExt};
use model::{ClusterId, NodeId, ServerId};
use thiserror::Error;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use crate::wire::{Frame, Request, Response};

/// Frames that a conversation buffers in each direction before its sender has to wait.
pub const CHANNEL_FRAMES_MAX: usize = 64;

/// Who asks, proved by certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    /// A server.
    Server {
        /// Its cluster.
        cluster: ClusterId,
        /// Its id.
        id: ServerId,
    },
    /// An agent.
    Agent {
        /// Its cluster.
        cluster: ClusterId,
        /// Its node.
        node: NodeId,
        /// BLAKE3 of the public key that its certificate is for.
        key: [u8; 32],
    },
    /// Somebody without a certificate, who may only join.
    Anonymous,
}

impl fmt::Display for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Caller::Server { id, .. } => write!(f, "server {id}"),
            Caller::Agent { node, .. } => write!(f, "agent {node}"),
            Caller::Anonymous => f.write_str("anonymous"),
        }
    }
}

/// Whom to reach.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Peer {
    /// `host:port` of the peer's RPC listener.
    pub address: String,
    /// The server that must answer there; none for any server of the cluster.
    pub server: Option<ServerId>,
}

impl Peer {
    /// Any server of the cluster at `address`.
    pub fn any(address: impl Into<String>) -> Self {
        Self { address: address.into(), server: None }
    }

    /// Server `id` at `address`.
    pub fn server(id: ServerId, address: impl Into<String>) -> Self {
        Self { address: address.into(), server: Some(id) }
    }
}

/// Why a question has no answer.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NetError {
    /// Nobody answered the connection; nothing was done.
    #[error("{address} is unreachable: {reason}")]
    Unreachable {
        /// Where.
        address: String,
        /// What the network said.
        reason: String,
    },
    /// The connection broke or the deadline passed: whether anything was done is unknown.
    #[error("no answer from {address}: {reason}")]
    Unknown {
        /// Where.
        address: String,
        /// What the network said.
        reason: String,
    },
    /// The peer refused; nothing was done.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

/// Why a peer refuses a question.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// It is not the leader; the leader's RPC address if it knows one.
    #[error("not the leader")]
    NotLeader {
        /// Where the leader is.
        leader: Option<String>,
    },
    /// The caller may not ask this.
    #[error("permission denied: {0}")]
    Denied(String),
    /// The question makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// It can't now; try again.
    #[error("{0}")]
    Unavailable(String),
    /// It did nothing, because its disk is full or failed.
    #[error("{0}")]
    Storage(String),
}

/// One end of a conversation. Dropping the sender ends it.
pub struct Channel {
    /// To the other end.
    pub sender: mpsc::Sender<Frame>,
    /// From the other end.
    pub receiver: Frames,
}

/// What comes from the other end of a conversation, read where it is wanted: no task stands between.
pub struct Frames(Pin<Box<dyn Stream<Item = Frame> + Send>>);

impl Frames {
    /// What `stream` yields, until its end.
    pub fn new(stream: impl Stream<Item = Frame> + Send + 'static) -> Self {
        Self(Box::pin(stream.fuse()))
    }

    /// The next frame; none when the conversation has ended or broken. If it is dropped before, no frame is lost.
    pub async fn recv(&mut self) -> Option<Frame> {
        self.0.next().await
    }

    /// The same, with `first` put back in front.
    #[must_use]
    pub fn behind(self, first: Frame) -> Self {
        Self::new(futures::stream::iter([first]).chain(self.0))
    }
}

impl From<mpsc::Receiver<Frame>> for Frames {
    fn from(receiver: mpsc::Receiver<Frame>) -> Self {
        Self::new(ReceiverStream::new(receiver))
    }
}

/// The side that asks.
#[async_trait]
pub trait Dialer: Send + Sync + 'static {
    /// Asks `peer`, waiting at most `deadline`.
    async fn call(&self, peer: &Peer, request: Request, deadline: Duration) -> Result<Response, NetError>;

    /// Begins a conversation with `peer`; `deadline` bounds the connecting only.
    async fn open(&self, peer: &Peer, deadline: Duration) -> Result<Channel, NetError>;
}

/// The side that answers.
#[async_trait]
pub trait Service: Send + Sync + 'static {
    /// Answers a question.
    async fn call(&self, caller: Caller, request: Request) -> Result<Response, Refusal>;

    /// Holds a conversation, until either side ends it. Returns when its part is over.
    async fn open(&self, caller: Caller, channel: Channel);
}
