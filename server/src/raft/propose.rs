//! Putting a command into the log and hearing what it came to.

use bytes::Bytes;
use model::{Index, ServerId};
use openraft::async_runtime::WatchReceiver as _;
use openraft::errors::{ClientWriteError, Fatal, ForwardReason, ForwardToLeader, RaftError};
use thiserror::Error;
use tokio::time::{Duration, Instant, sleep, timeout_at};

use super::Core;
use super::leadership::leadership_of;
use super::log::Writer;
use super::types::{Command, TypeConfig};

/// How long a proposer waits before it asks again a server that has no leader, or a leader that has no lease yet.
pub const RETRY_PAUSE: Duration = Duration::from_millis(5);

/// A command that is in the log for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// Where.
    pub index: Index,
    /// What [`Machine::apply`](super::Machine::apply) answered.
    pub answer: Bytes,
}

/// A command may not be in the log.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ProposeError {
    /// It is not: another server leads, or none is known. Safe to send elsewhere.
    #[error("{}", not_leader(leader))]
    NotLeader {
        /// The leader's id and address, if one is known.
        leader: Option<(ServerId, String)>,
    },
    /// It may be or not: the answer did not come in time, or the leader changed meanwhile. Sending it again is safe only
    /// if the command carries a request id.
    #[error("no answer in time: the command may or may not be committed")]
    Unknown,
    /// It is not: it is larger than a command may be.
    #[error("a command of {bytes} bytes is larger than the {bytes_max} that are allowed")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The limit.
        bytes_max: usize,
    },
    /// This server has stopped or is stopping; what was sent before may or may not be committed.
    #[error("this server is stopping")]
    Stopped,
    /// It is not: this server's disk failed or is full; the reason says which.
    #[error("this server can't store commands: {0}")]
    Storage(String),
}

fn not_leader(leader: &Option<(ServerId, String)>) -> String {
    match leader {
        Some((id, address)) => format!("this server does not lead; server {id} at {address} does"),
        None => "there is no leader now; the servers may be electing one".to_string(),
    }
}

/// Proposes what `entry` gives at each try until it is committed, until another leader is known, or `within` is over. While
/// that is nothing, this server does not take commands yet.
pub async fn propose(
    core: &Core,
    writer: &Writer,
    entry: impl Fn() -> Option<Bytes>,
    within: Duration,
) -> Result<Committed, ProposeError> {
    let deadline = Instant::now() + within;
    if let Some(reason) = writer.refusal() {
        return Err(ProposeError::Storage(reason));
    }
    loop {
        let Some(entry) = entry() else {
            if let Err(fatal) = &core.metrics().borrow_watched().running_state {
                return Err(stopped(fatal));
            }
            let leader = leadership_of(&core.server_metrics().borrow_watched()).leader;
            let elsewhere = leader.filter(|(id, _)| id != core.node_id());
            if elsewhere.is_some() || Instant::now() + RETRY_PAUSE >= deadline {
                return Err(ProposeError::NotLeader { leader: elsewhere });
            }
            sleep(RETRY_PAUSE).await;
            continue;
        };
        let written = timeout_at(deadline, core.client_write(Command(entry))).await;
        let error = match written {
            Err(_) => return Err(ProposeError::Unknown),
            Ok(Ok(response)) => return Ok(Committed { index: response.log_id.index(), answer: response.data.0 }),
            Ok(Err(error)) => error,
        };
        match error {
            RaftError::Fatal(fatal) => return Err(stopped(&fatal)),
            RaftError::APIError(ClientWriteError::ForwardToLeader(forward)) => {
                let leader = leader_of(&forward);
                let elsewhere = leader.as_ref().is_some_and(|(id, _)| id != core.node_id());
                let settled = forward.reason == ForwardReason::NotLeader && elsewhere;
                if settled || Instant::now() + RETRY_PAUSE >= deadline {
                    return Err(ProposeError::NotLeader { leader: leader.filter(|_| elsewhere) });
                }
                sleep(RETRY_PAUSE).await;
            }
            RaftError::APIError(
                ClientWriteError::LogEntryDiscarded(_)
                | ClientWriteError::ChangeMembershipError(_)
                | ClientWriteError::PreconditionFailed(_),
            ) => return Err(ProposeError::Unknown),
        }
    }
}

/// The leader that openraft points to.
pub fn leader_of(forward: &ForwardToLeader<TypeConfig>) -> Option<(ServerId, String)> {
    let address = forward.leader_node.as_ref().map(|node| node.addr.clone()).unwrap_or_default();
    forward.leader_id.map(|id| (id, address))
}

/// After a failed write, too, what this server had sent before may be committed by the others.
fn stopped(fatal: &Fatal<TypeConfig>) -> ProposeError {
    match fatal {
        Fatal::StorageError(_) | Fatal::Panicked | Fatal::Stopped => ProposeError::Stopped,
    }
}
