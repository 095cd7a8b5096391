//! What servers say to each other: requests and replies, and how they become openraft's types and back.

use std::io;

use bytes::Bytes;
use model::{ClusterId, ServerId};
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, StreamAppendError, StreamAppendResult, TransferLeaderError,
    TransferLeaderRequest, TransferLeaderResponse, VoteRequest, VoteResponse,
};
use prost::{Message, Oneof};

use super::encoding::{EntryMessage, LogIdMessage, StoredMembershipMessage, VoteMessage, decode, missing};
use super::types::{LogId, TypeConfig};

/// A request to one server of one cluster.
#[derive(Clone, PartialEq, Message)]
pub struct Request {
    #[prost(bytes = "vec", tag = "1")]
    pub cluster: Vec<u8>,
    #[prost(uint64, tag = "2")]
    pub from: u64,
    #[prost(uint64, tag = "3")]
    pub to: u64,
    #[prost(oneof = "Ask", tags = "4, 5, 6, 7, 8, 9")]
    pub ask: Option<Ask>,
}

/// What is asked.
#[derive(Clone, PartialEq, Oneof)]
pub enum Ask {
    #[prost(message, tag = "4")]
    Append(AppendMessage),
    #[prost(message, tag = "5")]
    Vote(CandidacyMessage),
    #[prost(message, tag = "6")]
    PreVote(CandidacyMessage),
    #[prost(message, tag = "7")]
    Chunk(ChunkMessage),
    #[prost(message, tag = "8")]
    Transfer(TransferMessage),
    #[prost(message, tag = "9")]
    ReadIndex(ReadIndexMessage),
}

/// The reply to one request.
#[derive(Clone, PartialEq, Message)]
pub struct Reply {
    #[prost(oneof = "Answered", tags = "1, 2, 3, 4, 5, 6")]
    pub answered: Option<Answered>,
}

/// What is answered.
#[derive(Clone, PartialEq, Oneof)]
pub enum Answered {
    /// The request was not for this server, or not understood, or the server is stopping.
    #[prost(string, tag = "1")]
    Refused(String),
    #[prost(message, tag = "2")]
    Append(AppendReply),
    #[prost(message, tag = "3")]
    Vote(CandidacyReply),
    #[prost(message, tag = "4")]
    Chunk(ChunkReply),
    #[prost(message, tag = "5")]
    Transfer(TransferReply),
    #[prost(message, tag = "6")]
    ReadIndex(ReadIndexReply),
}

/// Entries after `previous`, or none: a heartbeat.
#[derive(Clone, PartialEq, Message)]
pub struct AppendMessage {
    #[prost(message, optional, tag = "1")]
    pub vote: Option<VoteMessage>,
    #[prost(message, optional, tag = "2")]
    pub previous: Option<LogIdMessage>,
    #[prost(message, repeated, tag = "3")]
    pub entries: Vec<EntryMessage>,
    #[prost(message, optional, tag = "4")]
    pub committed: Option<LogIdMessage>,
}

/// How an append went; each outcome uses the fields that it has.
#[derive(Clone, PartialEq, Message)]
pub struct AppendReply {
    #[prost(enumeration = "AppendOutcome", tag = "1")]
    pub outcome: i32,
    #[prost(message, optional, tag = "2")]
    pub log_id: Option<LogIdMessage>,
    #[prost(message, optional, tag = "3")]
    pub vote: Option<VoteMessage>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub enum AppendOutcome {
    Unknown = 0,
    /// All entries are durable.
    Success = 1,
    /// Entries up to `log_id` are durable.
    Matching = 2,
    /// The log differs at `log_id` (on a stream) or at the entry before the first (otherwise).
    Conflict = 3,
    /// The server knows a higher `vote`.
    HigherVote = 4,
}

/// A server that stands for leader, or would.
#[derive(Clone, PartialEq, Message)]
pub struct CandidacyMessage {
    #[prost(message, optional, tag = "1")]
    pub vote: Option<VoteMessage>,
    #[prost(message, optional, tag = "2")]
    pub last: Option<LogIdMessage>,
    #[prost(bool, tag = "3")]
    pub leadership_transfer: bool,
}

#[derive(Clone, PartialEq, Message)]
pub struct CandidacyReply {
    #[prost(message, optional, tag = "1")]
    pub vote: Option<VoteMessage>,
    #[prost(message, optional, tag = "2")]
    pub last: Option<LogIdMessage>,
    #[prost(bool, tag = "3")]
    pub granted: bool,
}

/// A piece of a snapshot. Pieces are sent in order, the next when the one before was answered.
#[derive(Clone, PartialEq, Message)]
pub struct ChunkMessage {
    #[prost(message, optional, tag = "1")]
    pub vote: Option<VoteMessage>,
    #[prost(message, optional, tag = "2")]
    pub last: Option<LogIdMessage>,
    #[prost(message, optional, tag = "3")]
    pub membership: Option<StoredMembershipMessage>,
    #[prost(uint64, tag = "4")]
    pub offset: u64,
    /// Length and checksum of the whole.
    #[prost(uint64, tag = "5")]
    pub total: u64,
    #[prost(uint32, tag = "6")]
    pub crc32: u32,
    #[prost(bytes = "bytes", tag = "7")]
    pub bytes: Bytes,
}

#[derive(Clone, PartialEq, Message)]
pub struct ChunkReply {
    /// Set when the transfer is over: installed, or refused for a higher vote.
    #[prost(message, optional, tag = "1")]
    pub vote: Option<VoteMessage>,
    /// Where the next piece must begin.
    #[prost(uint64, tag = "2")]
    pub next: u64,
}

/// A leader asks a server to take over.
#[derive(Clone, PartialEq, Message)]
pub struct TransferMessage {
    #[prost(message, optional, tag = "1")]
    pub vote: Option<VoteMessage>,
    #[prost(uint64, tag = "2")]
    pub to: u64,
    #[prost(message, optional, tag = "3")]
    pub last: Option<LogIdMessage>,
}

#[derive(Clone, PartialEq, Message)]
pub struct TransferReply {
    /// Set if the server has another vote than the leader's.
    #[prost(message, optional, tag = "1")]
    pub vote: Option<VoteMessage>,
    /// Whether the server's log lacks what the leader's has; `last` is its own end.
    #[prost(bool, tag = "2")]
    pub log_lags: bool,
    #[prost(message, optional, tag = "3")]
    pub last: Option<LogIdMessage>,
}

/// Asks the leader from which index on a read is linearizable.
#[derive(Clone, PartialEq, Message)]
pub struct ReadIndexMessage {}

#[derive(Clone, PartialEq, Message)]
pub struct ReadIndexReply {
    /// None if the server is not the leader, or can't confirm that it still is.
    #[prost(uint64, optional, tag = "1")]
    pub index: Option<u64>,
}

impl Request {
    /// `ask` for server `to`, as it is sent.
    pub fn encode_to(cluster: ClusterId, from: ServerId, to: ServerId, ask: Ask) -> Bytes {
        Self { cluster: cluster.as_bytes().to_vec(), from, to, ask: Some(ask) }.encode_to_vec().into()
    }

    /// What is asked of server `id`, if it is asked of that server and by `from`.
    pub fn accept(bytes: Bytes, cluster: ClusterId, id: ServerId, from: ServerId) -> Result<Ask, String> {
        let request: Self = decode(bytes).map_err(|error| error.to_string())?;
        if request.cluster != cluster.as_bytes() {
            return Err(format!("this is a server of cluster {cluster}, the request is for another"));
        }
        if request.to != id {
            return Err(format!("this is server {id}, the request is for server {}", request.to));
        }
        if request.from != from {
            return Err(format!(
                "the request says it is from server {}, the connection is server {from}'s",
                request.from
            ));
        }
        request.ask.ok_or_else(|| "the request asks for nothing that this server knows".to_string())
    }
}

impl Reply {
    /// The reply as it is sent.
    pub fn encode_from(answered: Answered) -> Bytes {
        Self { answered: Some(answered) }.encode_to_vec().into()
    }

    /// What was answered. A refusal is an error.
    pub fn accept(bytes: Bytes) -> io::Result<Answered> {
        match decode::<Self>(bytes)?.answered {
            Some(Answered::Refused(reason)) => Err(io::Error::other(reason)),
            Some(answered) => Ok(answered),
            None => Err(missing("answer that this server knows")),
        }
    }
}

impl From<&AppendEntriesRequest<TypeConfig>> for AppendMessage {
    fn from(request: &AppendEntriesRequest<TypeConfig>) -> Self {
        Self {
            vote: Some(request.vote.into()),
            previous: request.prev_log_id.map(Into::into),
            entries: request.entries.iter().map(Into::into).collect(),
            committed: request.leader_commit.map(Into::into),
        }
    }
}

impl TryFrom<AppendMessage> for AppendEntriesRequest<TypeConfig> {
    type Error = io::Error;

    fn try_from(message: AppendMessage) -> io::Result<Self> {
        Ok(Self {
            vote: message.vote.ok_or_else(|| missing("vote"))?.into(),
            prev_log_id: message.previous.map(Into::into),
            entries: message.entries.into_iter().map(EntryMessage::into_entry).collect::<io::Result<_>>()?,
            leader_commit: message.committed.map(Into::into),
        })
    }
}

impl AppendReply {
    fn new(outcome: AppendOutcome) -> Self {
        Self { outcome: outcome.into(), log_id: None, vote: None }
    }

    fn matching(log_id: Option<LogId>) -> Self {
        Self { log_id: log_id.map(Into::into), ..Self::new(AppendOutcome::Matching) }
    }

    fn higher(vote: VoteMessage) -> Self {
        Self { vote: Some(vote), ..Self::new(AppendOutcome::HigherVote) }
    }
}

impl From<AppendEntriesResponse<TypeConfig>> for AppendReply {
    fn from(response: AppendEntriesResponse<TypeConfig>) -> Self {
        match response {
            AppendEntriesResponse::Success => Self::new(AppendOutcome::Success),
            AppendEntriesResponse::PartialSuccess(log_id) => Self::matching(log_id),
            AppendEntriesResponse::Conflict => Self::new(AppendOutcome::Conflict),
            AppendEntriesResponse::HigherVote(vote) => Self::higher(vote.into()),
        }
    }
}

impl TryFrom<AppendReply> for AppendEntriesResponse<TypeConfig> {
    type Error = io::Error;

    fn try_from(reply: AppendReply) -> io::Result<Self> {
        match reply.outcome() {
            AppendOutcome::Unknown => Err(missing("outcome")),
            AppendOutcome::Success => Ok(Self::Success),
            AppendOutcome::Matching => Ok(Self::PartialSuccess(reply.log_id.map(Into::into))),
            AppendOutcome::Conflict => Ok(Self::Conflict),
            AppendOutcome::HigherVote => Ok(Self::HigherVote(reply.vote.ok_or_else(|| missing("vote"))?.into())),
        }
    }
}

impl From<StreamAppendResult<TypeConfig>> for AppendReply {
    fn from(result: StreamAppendResult<TypeConfig>) -> Self {
        match result {
            Ok(log_id) => Self::matching(log_id),
            Err(StreamAppendError::Conflict(log_id)) => {
                Self { log_id: Some(log_id.into()), ..Self::new(AppendOutcome::Conflict) }
            }
            Err(StreamAppendError::HigherVote(vote)) => Self::higher(vote.into()),
        }
    }
}

impl AppendReply {
    /// The result as a stream of appends reports it.
    pub fn into_stream_result(self) -> io::Result<StreamAppendResult<TypeConfig>> {
        match self.outcome() {
            AppendOutcome::Unknown | AppendOutcome::Success => Err(missing("outcome")),
            AppendOutcome::Matching => Ok(Ok(self.log_id.map(Into::into))),
            AppendOutcome::Conflict => {
                Ok(Err(StreamAppendError::Conflict(self.log_id.ok_or_else(|| missing("log id"))?.into())))
            }
            AppendOutcome::HigherVote => {
                Ok(Err(StreamAppendError::HigherVote(self.vote.ok_or_else(|| missing("vote"))?.into())))
            }
        }
    }
}

impl From<&VoteRequest<TypeConfig>> for CandidacyMessage {
    fn from(request: &VoteRequest<TypeConfig>) -> Self {
        Self {
            vote: Some(request.vote.into()),
            last: request.last_log_id.map(Into::into),
            leadership_transfer: request.leadership_transfer,
        }
    }
}

impl TryFrom<CandidacyMessage> for VoteRequest<TypeConfig> {
    type Error = io::Error;

    fn try_from(message: CandidacyMessage) -> io::Result<Self> {
        let vote = message.vote.ok_or_else(|| missing("vote"))?.into();
        let mut request = Self::new(vote, message.last.map(Into::into));
        request.leadership_transfer = message.leadership_transfer;
        Ok(request)
    }
}

impl From<VoteResponse<TypeConfig>> for CandidacyReply {
    fn from(response: VoteResponse<TypeConfig>) -> Self {
        Self {
            vote: Some(response.vote.into()),
            last: response.last_log_id.map(Into::into),
            granted: response.vote_granted,
        }
    }
}

impl TryFrom<CandidacyReply> for VoteResponse<TypeConfig> {
    type Error = io::Error;

    fn try_from(reply: CandidacyReply) -> io::Result<Self> {
        let vote: super::types::Vote = reply.vote.ok_or_else(|| missing("vote"))?.into();
        Ok(Self::new(vote, reply.last.map(Into::into), reply.granted))
    }
}

impl From<&TransferLeaderRequest<TypeConfig>> for TransferMessage {
    fn from(request: &TransferLeaderRequest<TypeConfig>) -> Self {
        Self {
            vote: Some((*request.from_leader()).into()),
            to: *request.to_node_id(),
            last: request.last_log_id().copied().map(Into::into),
        }
    }
}

impl TryFrom<TransferMessage> for TransferLeaderRequest<TypeConfig> {
    type Error = io::Error;

    fn try_from(message: TransferMessage) -> io::Result<Self> {
        let vote = message.vote.ok_or_else(|| missing("vote"))?.into();
        Ok(Self::new(vote, message.to, message.last.map(Into::into)))
    }
}

impl From<TransferLeaderResponse<TypeConfig>> for TransferReply {
    fn from(response: TransferLeaderResponse<TypeConfig>) -> Self {
        match response {
            Ok(()) => Self { vote: None, log_lags: false, last: None },
            Err(TransferLeaderError::VoteChanged { actual, .. }) => {
                Self { vote: Some(actual.into()), log_lags: false, last: None }
            }
            Err(TransferLeaderError::LogNotFlushed { actual, .. }) => {
                Self { vote: None, log_lags: true, last: actual.map(Into::into) }
            }
        }
    }
}

impl TransferReply {
    /// The response to `request`.
    pub fn into_response(self, request: &TransferLeaderRequest<TypeConfig>) -> TransferLeaderResponse<TypeConfig> {
        if let Some(vote) = self.vote {
            return Err(TransferLeaderError::VoteChanged { expected: *request.from_leader(), actual: vote.into() });
        }
        if self.log_lags {
            let expected = request.last_log_id().copied();
            return Err(TransferLeaderError::LogNotFlushed { expected, actual: self.last.map(Into::into) });
        }
        Ok(())
    }
}
