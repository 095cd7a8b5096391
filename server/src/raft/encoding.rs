//! How votes, log ids, memberships and entries are written, on disk and between servers alike.
//!
//! These are our own messages: a new version of the library below may change its types as it likes, and a file of
//! today is still read. Fields are only ever added. Who calls: the log's records, the snapshots' headers, and
//! [`messages`](super::messages).

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use bytes::Bytes;
use openraft::BasicNode;
use prost::Message;

use super::types::{self, Command, Entry, LogId, Membership, Payload, StoredMembership, Vote};

/// A position in the log, with the term of the leader that wrote it.
#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub struct LogIdMessage {
    #[prost(uint64, tag = "1")]
    pub term: u64,
    #[prost(uint64, tag = "2")]
    pub index: u64,
}

/// Whom a server has given its vote to, and whether a majority did.
#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub struct VoteMessage {
    #[prost(uint64, tag = "1")]
    pub term: u64,
    #[prost(uint64, tag = "2")]
    pub server: u64,
    #[prost(bool, tag = "3")]
    pub committed: bool,
}

/// Who takes part: one set of voters, or two while they change, and the addresses of voters and learners.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct MembershipMessage {
    #[prost(message, repeated, tag = "1")]
    pub configs: Vec<VotersMessage>,
    #[prost(message, repeated, tag = "2")]
    pub servers: Vec<ServerMessage>,
}

#[derive(Clone, PartialEq, Eq, Message)]
pub struct VotersMessage {
    #[prost(uint64, repeated, tag = "1")]
    pub ids: Vec<u64>,
}

#[derive(Clone, PartialEq, Eq, Message)]
pub struct ServerMessage {
    #[prost(uint64, tag = "1")]
    pub id: u64,
    #[prost(string, tag = "2")]
    pub address: String,
}

/// A membership and the entry that brought it.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct StoredMembershipMessage {
    #[prost(message, optional, tag = "1")]
    pub log_id: Option<LogIdMessage>,
    #[prost(message, optional, tag = "2")]
    pub membership: Option<MembershipMessage>,
}

/// One entry of the log: a command, a membership, or neither (a new leader's first entry).
#[derive(Clone, PartialEq, Eq, Message)]
pub struct EntryMessage {
    #[prost(message, optional, tag = "1")]
    pub log_id: Option<LogIdMessage>,
    #[prost(bytes = "bytes", optional, tag = "2")]
    pub command: Option<Bytes>,
    #[prost(message, optional, tag = "3")]
    pub membership: Option<MembershipMessage>,
}

/// The error for a message that lacks what it must have.
pub fn missing(field: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the message has no {field}"))
}

/// Decodes a message, or says that it is not one.
pub fn decode<M: Message + Default>(bytes: impl bytes::Buf) -> io::Result<M> {
    M::decode(bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

impl From<LogId> for LogIdMessage {
    fn from(log_id: LogId) -> Self {
        Self { term: log_id.committed_leader_id().term, index: log_id.index() }
    }
}

impl From<LogIdMessage> for LogId {
    fn from(message: LogIdMessage) -> Self {
        types::log_id(message.term, message.index)
    }
}

impl From<Vote> for VoteMessage {
    fn from(vote: Vote) -> Self {
        Self { term: vote.leader_id.term, server: vote.leader_id.voted_for, committed: vote.committed }
    }
}

impl From<VoteMessage> for Vote {
    fn from(message: VoteMessage) -> Self {
        let VoteMessage { term, server, committed } = message;
        if committed { Vote::new_committed(term, server) } else { Vote::new(term, server) }
    }
}

impl From<&Membership> for MembershipMessage {
    fn from(membership: &Membership) -> Self {
        let configs = membership.get_joint_config().iter();
        Self {
            configs: configs.map(|voters| VotersMessage { ids: voters.iter().copied().collect() }).collect(),
            servers: membership
                .nodes()
                .map(|(id, node)| ServerMessage { id: *id, address: node.addr.clone() })
                .collect(),
        }
    }
}

impl TryFrom<MembershipMessage> for Membership {
    type Error = io::Error;

    fn try_from(message: MembershipMessage) -> io::Result<Self> {
        let configs: Vec<BTreeSet<u64>> =
            message.configs.into_iter().map(|voters| voters.ids.into_iter().collect()).collect();
        let servers: BTreeMap<u64, BasicNode> =
            message.servers.into_iter().map(|server| (server.id, BasicNode::new(server.address))).collect();
        // A server that has joined nothing yet has the empty membership, which the checked constructor refuses.
        if configs.is_empty() && servers.is_empty() {
            return Ok(Membership::default());
        }
        Membership::new(configs, servers).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    }
}

impl From<&StoredMembership> for StoredMembershipMessage {
    fn from(stored: &StoredMembership) -> Self {
        Self { log_id: (*stored.log_id()).map(Into::into), membership: Some(stored.membership().into()) }
    }
}

impl TryFrom<StoredMembershipMessage> for StoredMembership {
    type Error = io::Error;

    fn try_from(message: StoredMembershipMessage) -> io::Result<Self> {
        let membership = message.membership.unwrap_or_default().try_into()?;
        Ok(StoredMembership::new(message.log_id.map(Into::into), membership))
    }
}

impl From<&Entry> for EntryMessage {
    fn from(entry: &Entry) -> Self {
        let mut message = Self { log_id: Some(entry.log_id.into()), command: None, membership: None };
        match &entry.payload {
            Payload::Blank => {}
            Payload::Normal(command) => message.command = Some(command.0.clone()),
            Payload::Membership(membership) => message.membership = Some(membership.into()),
        }
        message
    }
}

impl EntryMessage {
    /// The entry that was encoded.
    pub fn into_entry(self) -> io::Result<Entry> {
        let log_id = self.log_id.ok_or_else(|| missing("log id"))?.into();
        let payload = match (self.command, self.membership) {
            (None, None) => Payload::Blank,
            (Some(command), None) => Payload::Normal(Command(command)),
            (None, Some(membership)) => Payload::Membership(membership.try_into()?),
            (Some(_), Some(_)) => {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "an entry is a command or a membership"));
            }
        };
        Ok(Entry { log_id, payload })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(entry: Entry) {
        let bytes = EntryMessage::from(&entry).encode_to_vec();
        assert_eq!(decode::<EntryMessage>(bytes.as_slice()).unwrap().into_entry().unwrap(), entry);
    }

    #[test]
    fn entries_of_every_kind_are_read_back_as_they_were_written() {
        let servers =
            BTreeMap::from([(1, BasicNode::new("a:1")), (2, BasicNode::new("b:2")), (3, BasicNode::new("c"))]);
        let joint = Membership::new(vec![BTreeSet::from([1]), BTreeSet::from([1, 2])], servers).unwrap();
        round(Entry { log_id: types::log_id(0, 0), payload: Payload::Blank });
        round(Entry { log_id: types::log_id(3, 9), payload: Payload::Normal(Command(Bytes::from_static(b"x"))) });
        round(Entry { log_id: types::log_id(3, 10), payload: Payload::Normal(Command(Bytes::new())) });
        round(Entry { log_id: types::log_id(4, 11), payload: Payload::Membership(joint) });
    }

    #[test]
    fn votes_are_read_back_as_they_were_written() {
        for vote in [Vote::new(7, 2), Vote::new_committed(u64::MAX, 1)] {
            assert_eq!(Vote::from(VoteMessage::from(vote)), vote);
        }
    }

    #[test]
    fn an_entry_without_a_position_is_refused() {
        assert!(EntryMessage::default().into_entry().is_err());
    }
}
