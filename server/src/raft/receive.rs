//! The receiving side: messages of other servers become openraft's requests, and its responses their replies.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures::stream::{StreamExt, unfold};
use model::ServerId;
use openraft::async_runtime::WatchReceiver as _;
use openraft::raft::{AppendEntriesRequest, AppendEntriesResponse, StreamAppendError, VoteRequest};
use tokio::sync::mpsc;

use super::Core;
use super::contact::Contact;
use super::encoding::{VoteMessage, missing};
use super::log::Writer;
use super::messages::{
    Answered, AppendReply, Ask, ChunkMessage, ChunkReply, ReadIndexReply, Reply, Request, TransferMessage,
};
use super::network::Network;
use super::read;
use super::types::{Runtime, Snapshot, SnapshotMeta, TypeConfig, Vote};

/// The largest snapshot that is taken from another server, in bytes.
pub const SNAPSHOT_BYTES_MAX: u64 = 4 << 30;

/// What a server does with messages from others.
pub struct Receiver {
    core: Core,
    network: Network,
    contact: Contact,
    writer: Writer,
    incoming: Mutex<Option<Incoming>>,
}

/// A snapshot of which some pieces have come.
struct Incoming {
    from: ServerId,
    vote: VoteMessage,
    meta: SnapshotMeta,
    total: u64,
    crc32: u32,
    data: Vec<u8>,
}

impl Receiver {
    pub fn new(core: Core, network: Network, contact: Contact, writer: Writer) -> Self {
        Self { core, network, contact, writer, incoming: Mutex::new(None) }
    }

    /// Answers one message of server `from`.
    pub async fn handle(&self, from: ServerId, message: Bytes) -> Bytes {
        let answered = match Request::accept(message, self.network.cluster, self.network.id, from) {
            Ok(ask) => self.answer(from, ask).await,
            Err(reason) => {
                tracing::warn!(from, reason, "refused a message of another server");
                Answered::Refused(reason)
            }
        };
        Reply::encode_from(answered)
    }

    /// Takes the appends of server `from`, in order, until either side ends its stream.
    pub async fn serve_appends(&self, from: ServerId, requests: mpsc::Receiver<Bytes>, replies: mpsc::Sender<Bytes>) {
        let (cluster, id) = (self.network.cluster, self.network.id);
        let refused = Arc::new(Mutex::new(None));
        let refusal = refused.clone();
        let appends = unfold(requests, move |mut requests| {
            let refusal = refusal.clone();
            async move {
                match append_request(Request::accept(requests.recv().await?, cluster, id, from)) {
                    Ok(request) => Some((request, requests)),
                    Err(reason) => {
                        *refusal.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason);
                        None
                    }
                }
            }
        });
        // The stream's task is spawned with a seed of its own; it draws nothing from it.
        let results = Runtime::scope(from, async { self.core.stream_append(appends) }).await;
        let mut results = Box::pin(results);
        while let Some(result) = results.next().await {
            let Ok(result) = result else { break };
            if !matches!(result, Err(StreamAppendError::HigherVote(_))) {
                self.contact.note();
            }
            if replies.send(Reply::encode_from(Answered::Append(result.into()))).await.is_err() {
                return;
            }
        }
        let reason = refused.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(reason) = reason {
            tracing::warn!(from, reason, "refused a stream of appends");
            let _ = replies.send(Reply::encode_from(Answered::Refused(reason))).await;
        }
    }

    async fn answer(&self, from: ServerId, ask: Ask) -> Answered {
        let answered = match ask {
            Ask::Append(message) => self.append(message.try_into()).await,
            Ask::Vote(message) => self.vote(message.try_into(), Candidacy::Real).await,
            Ask::PreVote(message) => self.vote(message.try_into(), Candidacy::Hypothetical).await,
            Ask::Chunk(chunk) => self.chunk(from, chunk).await.map(Answered::Chunk),
            Ask::Transfer(message) => self.transfer(message).await,
            Ask::ReadIndex(_) => {
                let index = read::confirmed_index(&self.core).await;
                Ok(Answered::ReadIndex(ReadIndexReply { index }))
            }
        };
        answered.unwrap_or_else(Answered::Refused)
    }

    async fn append(&self, request: std::io::Result<AppendEntriesRequest<TypeConfig>>) -> Result<Answered, String> {
        let response = self.core.append_entries(request.map_err(text)?).await.map_err(text)?;
        if !matches!(response, AppendEntriesResponse::HigherVote(_)) {
            self.contact.note();
        }
        Ok(Answered::Append(AppendReply::from(response)))
    }

    async fn vote(
        &self,
        request: std::io::Result<VoteRequest<TypeConfig>>,
        candidacy: Candidacy,
    ) -> Result<Answered, String> {
        let request = request.map_err(text)?;
        let response = match candidacy {
            Candidacy::Real => self.core.vote(request).await,
            Candidacy::Hypothetical => self.core.pre_vote(request).await,
        };
        Ok(Answered::Vote(response.map_err(text)?.into()))
    }

    async fn transfer(&self, message: TransferMessage) -> Result<Answered, String> {
        let request = message.try_into().map_err(text)?;
        let response = self.core.handle_transfer_leader(request).await.map_err(text)?;
        Ok(Answered::Transfer(response.into()))
    }

    async fn chunk(&self, from: ServerId, chunk: ChunkMessage) -> Result<ChunkReply, String> {
        let vote: Vote = chunk.vote.ok_or_else(|| text(missing("vote")))?.into();
        let known = self.core.metrics().borrow_watched().vote;
        if known > vote {
            return Ok(ChunkReply { vote: Some(known.into()), next: 0 });
        }
        let (next, complete) = self.collect(from, chunk)?;
        let Some(snapshot) = complete else {
            return Ok(ChunkReply { vote: None, next });
        };
        let response = self.core.install_full_snapshot(vote, snapshot).await.map_err(text)?;
        // A snapshot of what is known to be committed is not installed: the log has all of it. Then openraft answers at
        // once, even where the log has it only in memory, and its leader would count on what a crash takes away.
        self.writer.flushed().await.map_err(text)?;
        Ok(ChunkReply { vote: Some(response.vote.into()), next })
    }

    /// Adds a piece. Answers where the next must begin, and the snapshot if this was the last.
    fn collect(&self, from: ServerId, chunk: ChunkMessage) -> Result<(u64, Option<Snapshot>), String> {
        check_total(chunk.total)?;
        let mut incoming = self.incoming.lock().unwrap_or_else(PoisonError::into_inner);
        if chunk.offset == 0 {
            *incoming = Some(Incoming::begin(from, &chunk).map_err(text)?);
        }
        let Some(current) = incoming.as_mut().filter(|current| current.is_continued_by(from, &chunk)) else {
            return Ok((0, None));
        };
        current.data.extend_from_slice(&chunk.bytes);
        let next = current.data.len() as u64;
        if next < current.total {
            return Ok((next, None));
        }
        let Some(Incoming { meta, data, crc32, total, .. }) = incoming.take() else { return Ok((0, None)) };
        if next > total || crc32fast::hash(&data) != crc32 {
            return Err("the snapshot arrived damaged".to_string());
        }
        Ok((next, Some(Snapshot { meta, snapshot: data.into() })))
    }
}

impl Incoming {
    fn begin(from: ServerId, chunk: &ChunkMessage) -> std::io::Result<Self> {
        let last_membership = chunk.membership.clone().unwrap_or_default().try_into()?;
        Ok(Self {
            from,
            vote: chunk.vote.unwrap_or_default(),
            meta: SnapshotMeta { last_log_id: chunk.last.map(Into::into), last_membership },
            total: chunk.total,
            crc32: chunk.crc32,
            data: Vec::new(),
        })
    }

    fn is_continued_by(&self, from: ServerId, chunk: &ChunkMessage) -> bool {
        self.from == from
            && Some(self.vote) == chunk.vote
            && self.meta.last_log_id == chunk.last.map(Into::into)
            && (self.total, self.crc32) == (chunk.total, chunk.crc32)
            && self.data.len() as u64 == chunk.offset
    }
}

/// Whether a vote is asked for, or only whether it would be given.
#[derive(Clone, Copy)]
enum Candidacy {
    Real,
    Hypothetical,
}

fn append_request(asked: Result<Ask, String>) -> Result<AppendEntriesRequest<TypeConfig>, String> {
    match asked? {
        Ask::Append(message) => message.try_into().map_err(text),
        _ => Err("a stream of appends carries nothing else".to_string()),
    }
}

/// Refuses a snapshot that is said to be larger than the limit, before any of it is taken.
fn check_total(bytes: u64) -> Result<(), String> {
    if bytes > SNAPSHOT_BYTES_MAX {
        return Err(format!("a snapshot of {bytes} bytes is larger than {SNAPSHOT_BYTES_MAX}"));
    }
    Ok(())
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_may_be_as_large_as_the_limit_and_no_larger() {
        assert_eq!(check_total(SNAPSHOT_BYTES_MAX), Ok(()));
        let refused = "a snapshot of 4294967297 bytes is larger than 4294967296";
        assert_eq!(check_total(SNAPSHOT_BYTES_MAX + 1), Err(refused.to_string()));
    }
}
