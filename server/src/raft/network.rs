//! The sending side: openraft's requests become messages over [`Peers`].
//!
//! Appends of entries go through one stream per follower, many under way at once; heartbeats, votes and pieces of
//! snapshots are calls. openraft does not bound a request that hangs, so everything here has a deadline.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::stream::{Stream, StreamExt, unfold};
use model::{ClusterId, ServerId};
use openraft::base::{BoxFuture, BoxStream};
use openraft::errors::{NetworkError, RPCError, ReplicationClosed, StreamingError, Timeout, Unreachable};
use openraft::network::{Backoff, RPCOption, stream_append_sequential};
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, SnapshotResponse, StreamAppendResult, TransferLeaderRequest,
    TransferLeaderResponse, VoteRequest, VoteResponse,
};
use openraft::{BasicNode, OptionalSend, RPCTypes, RaftNetworkFactory, RaftNetworkV2};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

use super::config::Timings;
use super::messages::{Answered, Ask, ChunkMessage, Reply, Request};
use super::peers::{PeerError, Peers};
use super::types::{LogId, Snapshot, TypeConfig, Vote};

/// Most appends to one follower that are not answered yet.
const APPENDS_UNDER_WAY_MAX: usize = 64;

type Error = RPCError<TypeConfig>;
type AppendStream<'s> = BoxStream<'s, Result<StreamAppendResult<TypeConfig>, Error>>;

/// This server's way to all others.
#[derive(Clone)]
pub struct Network {
    pub cluster: ClusterId,
    pub id: ServerId,
    pub peers: Arc<dyn Peers>,
    pub timings: Timings,
    pub chunk_bytes: usize,
}

impl Network {
    /// Asks server `to` and waits for its answer, at most `within`.
    pub async fn ask(&self, to: ServerId, address: &str, ask: Ask, within: Duration) -> Result<Answered, PeerError> {
        let message = Request::encode_to(self.cluster, self.id, to, ask);
        let reply = match timeout(within, self.peers.call(to, address, message, within)).await {
            Ok(reply) => reply?,
            Err(_) => return Err(PeerError::Broken(format!("no reply within {within:?}"))),
        };
        Reply::accept(reply).map_err(|error| PeerError::Broken(error.to_string()))
    }
}

impl RaftNetworkFactory<TypeConfig> for Network {
    type Network = Connection;

    async fn new_client(&mut self, to: ServerId, node: &BasicNode) -> Connection {
        Connection { network: self.clone(), to, address: node.addr.clone(), appends: Appends::Streamed }
    }

    async fn new_heartbeat_client(&mut self, to: ServerId, node: &BasicNode) -> Connection {
        Connection { network: self.clone(), to, address: node.addr.clone(), appends: Appends::Called }
    }
}

/// The way to one server.
pub struct Connection {
    network: Network,
    to: ServerId,
    address: String,
    appends: Appends,
}

/// How appends are sent: a heartbeat is one append, for which a stream would be opened in vain.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Appends {
    Streamed,
    Called,
}

impl Connection {
    async fn ask(&self, ask: Ask, within: Duration) -> Result<Answered, Error> {
        self.network.ask(self.to, &self.address, ask, within).await.map_err(into_rpc_error)
    }

    fn timeout(&self, action: RPCTypes, timeout: Duration) -> Error {
        RPCError::Timeout(Timeout { action, id: self.network.id, target: self.to, timeout })
    }

    /// Opens a stream once there is something to send, and not before: what openraft gives first comes after the pause
    /// that follows a failure, so that a server that can't be reached is not tried without end.
    async fn open_appends<S>(
        &self,
        mut input: S,
    ) -> Option<(Result<StreamAppendResult<TypeConfig>, Error>, Appending<S>)>
    where
        S: Stream<Item = AppendEntriesRequest<TypeConfig>> + Unpin,
    {
        let first = input.next().await?;
        let patience = self.network.timings.append;
        let (requests, replies) = match timeout(patience, self.network.peers.open(self.to, &self.address)).await {
            Ok(Ok(opened)) => opened,
            Ok(Err(error)) => return Some((Err(into_rpc_error(error)), Appending::Waiting(input))),
            Err(_) => return Some((Err(self.timeout(RPCTypes::AppendEntries, patience)), Appending::Waiting(input))),
        };
        let mut stream = AppendsUnderWay { input, requests, replies, sent: VecDeque::new(), input_ended: false };
        let result = match self.send_append(&mut stream, first).await {
            Ok(()) => self.next_append(&mut stream).await?,
            Err(error) => Err(error),
        };
        Some((result, Appending::UnderWay(stream)))
    }

    /// One step of a stream of appends: sends what openraft has ready while there is room, yields the next answer.
    async fn next_append<S>(
        &self,
        stream: &mut AppendsUnderWay<S>,
    ) -> Option<Result<StreamAppendResult<TypeConfig>, Error>>
    where
        S: Stream<Item = AppendEntriesRequest<TypeConfig>> + Unpin,
    {
        let patience = self.network.timings.append;
        loop {
            let has_room = stream.sent.len() < APPENDS_UNDER_WAY_MAX && !stream.input_ended;
            let overdue = stream.sent.front().map(|sent| sent.at + patience);
            if overdue.is_none() && stream.input_ended {
                return None;
            }
            tokio::select! {
                biased;
                reply = stream.replies.recv() => {
                    let Some(reply) = reply else { return Some(Err(broken("the stream of appends ended"))) };
                    if stream.sent.pop_front().is_none() {
                        return Some(Err(broken("an answer came before its append was sent")));
                    }
                    let answer = append_answer(reply);
                    if let Ok(Ok(matching)) = &answer && stream.is_told_again(matching) {
                        continue;
                    }
                    return Some(answer);
                }
                () = at(overdue), if overdue.is_some() => {
                    return Some(Err(self.timeout(RPCTypes::AppendEntries, patience)));
                }
                next = stream.input.next(), if has_room => {
                    let Some(request) = next else {
                        stream.input_ended = true;
                        continue;
                    };
                    if let Err(error) = self.send_append(stream, request).await {
                        return Some(Err(error));
                    }
                }
            }
        }
    }

    async fn send_append<S>(
        &self,
        stream: &mut AppendsUnderWay<S>,
        request: AppendEntriesRequest<TypeConfig>,
    ) -> Result<(), Error> {
        let patience = self.network.timings.append;
        let last = request.entries.last().map(|entry| entry.log_id).or(request.prev_log_id);
        let ask = Ask::Append((&request).into());
        let message = Request::encode_to(self.network.cluster, self.network.id, self.to, ask);
        match timeout(patience, stream.requests.send(message)).await {
            Ok(Ok(())) => stream.sent.push_back(Sent { at: Instant::now(), last }),
            Ok(Err(_)) => return Err(broken("the stream of appends ended")),
            Err(_) => return Err(self.timeout(RPCTypes::AppendEntries, patience)),
        }
        Ok(())
    }

    async fn send_snapshot(&self, vote: Vote, snapshot: Snapshot, within: Duration) -> Result<Vote, Error> {
        let data = snapshot.snapshot;
        let crc32 = crc32fast::hash(&data);
        let mut offset = 0;
        loop {
            let end = data.len().min(offset + self.network.chunk_bytes);
            let chunk = ChunkMessage {
                vote: Some(vote.into()),
                last: snapshot.meta.last_log_id.map(Into::into),
                membership: Some((&snapshot.meta.last_membership).into()),
                offset: offset as u64,
                total: data.len() as u64,
                crc32,
                bytes: data.slice(offset..end),
            };
            let Answered::Chunk(reply) = self.ask(Ask::Chunk(chunk), within).await? else {
                return Err(broken("the answer is not one to a piece of a snapshot"));
            };
            if let Some(vote) = reply.vote {
                return Ok(vote.into());
            }
            // The receiver says where to go on: after this piece, or from the beginning if it was restarted meanwhile.
            offset = usize::try_from(reply.next).unwrap_or(0);
            if offset > end || (offset == end && end == data.len()) {
                return Err(broken("the receiver of the snapshot asks for a piece that does not exist"));
            }
        }
    }
}

impl RaftNetworkV2<TypeConfig> for Connection {
    type SnapshotData = Bytes;

    async fn append_entries(
        &mut self,
        request: AppendEntriesRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<AppendEntriesResponse<TypeConfig>, Error> {
        match self.ask(Ask::Append((&request).into()), option.hard_ttl()).await? {
            Answered::Append(reply) => reply.try_into().map_err(|error: io::Error| broken(&error.to_string())),
            _ => Err(broken("the answer is not one to an append")),
        }
    }

    fn stream_append<'s, S>(&'s mut self, input: S, option: RPCOption) -> BoxFuture<'s, Result<AppendStream<'s>, Error>>
    where
        S: Stream<Item = AppendEntriesRequest<TypeConfig>> + OptionalSend + Unpin + 'static,
    {
        if self.appends == Appends::Called {
            return stream_append_sequential(self, input, option);
        }
        let stream = Appending::Waiting(input);
        let this: &'s Self = self;
        let results = unfold(Some(stream), move |state| async move {
            let (result, stream) = match state? {
                Appending::Waiting(input) => this.open_appends(input).await?,
                Appending::UnderWay(mut stream) => (this.next_append(&mut stream).await?, Appending::UnderWay(stream)),
            };
            // After anything but progress openraft begins anew.
            let goes_on = matches!(result, Ok(Ok(_)));
            Some((result, goes_on.then_some(stream)))
        });
        Box::pin(async move { Ok(Box::pin(results) as AppendStream<'s>) })
    }

    async fn vote(
        &mut self,
        request: VoteRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<VoteResponse<TypeConfig>, Error> {
        vote_answer(self.ask(Ask::Vote((&request).into()), option.hard_ttl()).await?)
    }

    async fn pre_vote(
        &mut self,
        request: VoteRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<VoteResponse<TypeConfig>, Error> {
        vote_answer(self.ask(Ask::PreVote((&request).into()), option.hard_ttl()).await?)
    }

    async fn full_snapshot(
        &mut self,
        vote: Vote,
        snapshot: Snapshot,
        cancel: impl Future<Output = ReplicationClosed> + OptionalSend + 'static,
        option: RPCOption,
    ) -> Result<SnapshotResponse<TypeConfig>, StreamingError<TypeConfig>> {
        tokio::select! {
            biased;
            closed = cancel => Err(closed.into()),
            sent = self.send_snapshot(vote, snapshot, option.hard_ttl()) => Ok(SnapshotResponse::new(sent?)),
        }
    }

    async fn transfer_leader(
        &mut self,
        request: TransferLeaderRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<TransferLeaderResponse<TypeConfig>, Error> {
        match self.ask(Ask::Transfer((&request).into()), option.hard_ttl()).await? {
            Answered::Transfer(reply) => Ok(reply.into_response(&request)),
            _ => Err(broken("the answer is not one to a transfer of leadership")),
        }
    }

    fn backoff(&self) -> Option<Backoff> {
        Some(Backoff::new(std::iter::repeat(self.network.timings.retry)))
    }
}

/// A stream of appends: with nothing to send yet, or open.
enum Appending<S> {
    Waiting(S),
    UnderWay(AppendsUnderWay<S>),
}

/// A stream of appends that is open.
struct AppendsUnderWay<S> {
    input: S,
    requests: mpsc::Sender<Bytes>,
    replies: mpsc::Receiver<Bytes>,
    /// The requests that have no answer yet.
    sent: VecDeque<Sent>,
    input_ended: bool,
}

/// An append that was sent.
struct Sent {
    at: Instant,
    /// The last entry that the follower has after it.
    last: Option<LogId>,
}

impl<S> AppendsUnderWay<S> {
    /// Whether the next answer says the same as one of `matching`, because an append without entries was sent after it, which
    /// only tells what is committed. openraft finds out by this id which append was answered, and would take the first
    /// answer for one to the last append: as if its follower had said later than it has that it still follows. A leader
    /// that was paused would believe by that that it still leads, and answer reads with what it has.
    fn is_told_again(&self, matching: &Option<LogId>) -> bool {
        self.sent.front().is_some_and(|next| next.last <= *matching)
    }
}

async fn at(deadline: Option<Instant>) {
    if let Some(deadline) = deadline {
        tokio::time::sleep_until(deadline).await;
    }
}

fn append_answer(reply: Bytes) -> Result<StreamAppendResult<TypeConfig>, Error> {
    match Reply::accept(reply) {
        Ok(Answered::Append(reply)) => reply.into_stream_result().map_err(|error| broken(&error.to_string())),
        Ok(_) => Err(broken("the answer is not one to an append")),
        Err(error) => Err(broken(&error.to_string())),
    }
}

fn vote_answer(answered: Answered) -> Result<VoteResponse<TypeConfig>, Error> {
    match answered {
        Answered::Vote(reply) => reply.try_into().map_err(|error: io::Error| broken(&error.to_string())),
        _ => Err(broken("the answer is not one to a request for a vote")),
    }
}

fn into_rpc_error(error: PeerError) -> Error {
    match error {
        PeerError::Unreachable(reason) => RPCError::Unreachable(Unreachable::from_string(reason)),
        PeerError::Broken(reason) => broken(&reason),
    }
}

fn broken(reason: &str) -> Error {
    RPCError::Network(NetworkError::from_string(reason))
}

#[cfg(test)]
mod tests;
