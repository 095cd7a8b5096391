//! Consensus over the network seam.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use model::ServerId;
use proto::net::{CHANNEL_FRAMES_MAX, Channel, Dialer, NetError, Peer};
use proto::wire::{Frame, Hello, RaftHello, Request, frame, hello, request, response};
use tokio::sync::mpsc;

use crate::raft::{PeerError, Peers};

/// Carries consensus' messages to other servers.
pub(crate) struct RaftPeers {
    dialer: Arc<dyn Dialer>,
    open_within: Duration,
}

impl RaftPeers {
    /// Over `dialer`, giving up on opening a stream after `open_within`.
    pub fn new(dialer: Arc<dyn Dialer>, open_within: Duration) -> Self {
        Self { dialer, open_within }
    }
}

#[async_trait]
impl Peers for RaftPeers {
    async fn call(&self, to: ServerId, address: &str, message: Bytes, deadline: Duration) -> Result<Bytes, PeerError> {
        let request = Request { body: Some(request::Body::Raft(message)) };
        let answer = self.dialer.call(&Peer::server(to, address), request, deadline).await.map_err(peer_error)?;
        match answer.body {
            Some(response::Body::Raft(reply)) => Ok(reply),
            _ => Err(PeerError::Broken("the answer is not one of consensus".into())),
        }
    }

    async fn open(
        &self,
        to: ServerId,
        address: &str,
    ) -> Result<(mpsc::Sender<Bytes>, mpsc::Receiver<Bytes>), PeerError> {
        let peer = Peer::server(to, address);
        let Channel { sender, mut receiver } = self.dialer.open(&peer, self.open_within).await.map_err(peer_error)?;
        let hello = Hello { body: Some(hello::Body::Raft(RaftHello {})) };
        let broken = |_| PeerError::Broken("the stream ended before it began".into());
        sender.send(Frame { body: Some(frame::Body::Hello(hello)) }).await.map_err(broken)?;
        let (requests, mut requests_receiver) = mpsc::channel::<Bytes>(CHANNEL_FRAMES_MAX);
        let (replies_sender, replies) = mpsc::channel(CHANNEL_FRAMES_MAX);
        tokio::spawn(async move {
            while let Some(message) = requests_receiver.recv().await {
                if sender.send(Frame { body: Some(frame::Body::Raft(message)) }).await.is_err() {
                    return;
                }
            }
        });
        tokio::spawn(async move {
            while let Some(Frame { body: Some(frame::Body::Raft(message)) }) = receiver.recv().await {
                if replies_sender.send(message).await.is_err() {
                    return;
                }
            }
        });
        Ok((requests, replies))
    }
}

fn peer_error(error: NetError) -> PeerError {
    match error {
        NetError::Unreachable { .. } | NetError::Refused(_) => PeerError::Unreachable(error.to_string()),
        NetError::Unknown { .. } => PeerError::Broken(error.to_string()),
    }
}
