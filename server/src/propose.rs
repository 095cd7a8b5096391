//! From any server to the leader's log, and back with what `apply` answered.
//!
//! Every entry carries a request id, so an attempt whose fate is unknown is simply made again: it is applied once.

use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use model::{Index, Term};
use proto::net::{NetError, Peer, Refusal};
use proto::wire::{self, request, response};
use server_core::apply::Answer;
use server_core::command::{Command, Entry};
use tokio::time::{Instant, sleep};

use crate::cluster::ClusterError;
use crate::machine::decode_answer;
use crate::raft::{Committed, Leadership, ProposeError};
use crate::server::Server;

/// How long a proposal may take in all, elections included.
const PROPOSE_WITHIN: Duration = Duration::from_secs(10);
/// How long one attempt may take before it is made anew.
const ATTEMPT_WITHIN: Duration = Duration::from_secs(2);
/// How long a disk that is full is asked again: its server hands leadership over, if another can lead.
const ROOM_WITHIN: Duration = Duration::from_secs(2);
/// Pause before another attempt.
const RETRY_PAUSE: Duration = Duration::from_millis(20);

/// One attempt's fate.
enum Attempt {
    Done(Index, Answer),
    /// Nothing was done.
    NoLeader,
    /// Nothing was done: the leader can't store it, for this reason.
    NoRoom(String),
    /// Nobody knows.
    Unknown,
    Stopping,
}

impl Server {
    /// Proposes a command on behalf of `caller` and waits until this server has applied it too.
    pub(crate) async fn propose_as(
        &self,
        caller: &str,
        request: Option<[u8; 16]>,
        command: Command,
    ) -> Result<Answer, ClusterError> {
        let request = request.unwrap_or_else(|| self.inner.seams.random.next_id());
        let entry = Entry { at: self.now(), request: Some(request), caller: caller.into(), command };
        self.propose_entry(entry.encode().into()).await
    }

    /// Proposes a command of this server's own until its fate is known, however long that takes. What this server proposes
    /// next can't come before it.
    pub(crate) async fn propose_until_known(&self, command: Command) -> Result<Answer, ClusterError> {
        let request = Some(self.inner.seams.random.next_id());
        let entry = Bytes::from(Entry { at: self.now(), request, caller: self.own_name(), command }.encode());
        loop {
            match self.propose_entry(entry.clone()).await {
                Err(error @ (ClusterError::NoLeader | ClusterError::Unknown | ClusterError::Storage(_))) => {
                    tracing::warn!(%error, "a command is not committed yet");
                }
                known => return known,
            }
        }
    }

    async fn propose_entry(&self, bytes: Bytes) -> Result<Answer, ClusterError> {
        // No server would ever store it.
        self.inner.raft.check_size(&bytes).map_err(|error| ClusterError::Refused(error.to_string()))?;
        let begin = Instant::now();
        let deadline = begin + PROPOSE_WITHIN;
        let mut fate = ClusterError::NoLeader;
        while Instant::now() < deadline {
            match self.attempt(bytes.clone()).await {
                Attempt::Done(index, answer) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    self.inner.raft.wait_applied(index, left).await.map_err(|_| ClusterError::Unknown)?;
                    return Ok(answer);
                }
                Attempt::NoLeader => {}
                Attempt::NoRoom(_) if fate == ClusterError::Unknown => {}
                Attempt::NoRoom(reason) => {
                    fate = ClusterError::Storage(reason);
                    if begin.elapsed() >= ROOM_WITHIN {
                        break;
                    }
                }
                Attempt::Unknown => fate = ClusterError::Unknown,
                Attempt::Stopping => return Err(ClusterError::Stopping),
            }
            sleep(RETRY_PAUSE).await;
        }
        Err(fate)
    }

    async fn attempt(&self, entry: Bytes) -> Attempt {
        let mut leadership = self.inner.raft.leader();
        let leader = leadership.borrow_and_update().leader.clone();
        match leader {
            Some((id, address)) if id != self.inner.config.id => {
                let is_another = |now: &Leadership| now.leader.as_ref().is_none_or(|(next, _)| *next != id);
                tokio::select! {
                    biased;
                    attempt = self.forward(Peer::server(id, address), entry) => attempt,
                    // A leader that hangs keeps its connections and never answers: whoever is next is asked instead.
                    changed = leadership.wait_for(is_another) => match changed {
                        Ok(_) => Attempt::Unknown,
                        Err(_) => Attempt::Stopping,
                    },
                }
            }
            _ => self.attempt_here(entry).await,
        }
    }

    async fn attempt_here(&self, entry: Bytes) -> Attempt {
        match self.log(entry, ATTEMPT_WITHIN).await {
            Ok(committed) => done(committed.index, &committed.answer),
            Err(ProposeError::NotLeader { .. }) => Attempt::NoLeader,
            Err(ProposeError::Unknown) => Attempt::Unknown,
            Err(ProposeError::Storage(reason)) => Attempt::NoRoom(self.no_room(&reason)),
            Err(error @ ProposeError::TooLarge { .. }) => {
                tracing::error!(%error, "a command can't be stored");
                Attempt::NoLeader
            }
            Err(ProposeError::Stopped) => Attempt::Stopping,
        }
    }

    async fn forward(&self, leader: Peer, entry: Bytes) -> Attempt {
        let deadline_ms = ATTEMPT_WITHIN.as_millis() as u64;
        let body = request::Body::Propose(wire::Propose { entry, deadline_ms });
        let asked = self.inner.seams.dialer.call(&leader, wire::Request { body: Some(body) }, ATTEMPT_WITHIN * 2).await;
        match asked.map(|answer| answer.body) {
            Ok(Some(response::Body::Proposed(proposed))) => done(proposed.index, &proposed.answer),
            Ok(_) => Attempt::NoLeader,
            Err(NetError::Refused(Refusal::Storage(reason))) => Attempt::NoRoom(reason),
            // What a leader could not confirm in time may be in the log.
            Err(NetError::Refused(Refusal::Unavailable(_)) | NetError::Unknown { .. }) => Attempt::Unknown,
            Err(NetError::Unreachable { .. } | NetError::Refused(_)) => Attempt::NoLeader,
        }
    }

    /// Puts an entry into the log, as the leader. Whoever proposed it, it happens when the leader puts it there: what waits by
    /// the time of one entry would wait for ever by another's, if each server had its own.
    async fn log(&self, entry: Bytes, within: Duration) -> Result<Committed, ProposeError> {
        self.inner.raft.check_size(&entry)?;
        let stamped = || {
            let stamped = || Entry::stamped(&entry, self.now()).map_or_else(|| entry.clone(), Bytes::from);
            self.tells_time().then(stamped)
        };
        self.inner.raft.propose_made(stamped, within).await
    }

    /// Whether this server leads, and its clock goes on from what the leaders before it said.
    fn tells_time(&self) -> bool {
        self.inner.raft.leads(self.inner.tells_time_in.load(Ordering::Relaxed))
    }

    /// The clock goes on from what the leaders before the one of `term`, this server, said: all of it is applied here. Until
    /// then nothing is put into the log, and in this term the clock never goes back any more.
    pub(crate) fn tell_time_in(&self, term: Term) {
        if self.inner.tells_time_in.load(Ordering::Relaxed) != term {
            self.inner.clock.begin_anew();
            self.inner.tells_time_in.store(term, Ordering::Relaxed);
        }
    }

    fn no_room(&self, reason: &str) -> String {
        format!("server {} ({}) leads and can't store commands: {reason}", self.inner.config.id, self.inner.config.name)
    }

    /// Answers another server that forwards an entry.
    pub(crate) async fn propose_for(&self, propose: wire::Propose) -> Result<wire::Proposed, Refusal> {
        let within = Duration::from_millis(propose.deadline_ms).min(PROPOSE_WITHIN);
        match self.log(propose.entry, within).await {
            Ok(committed) => Ok(wire::Proposed { index: committed.index, answer: committed.answer }),
            Err(ProposeError::NotLeader { leader }) => {
                Err(Refusal::NotLeader { leader: leader.map(|(_, address)| address) })
            }
            Err(ProposeError::Storage(reason)) => Err(Refusal::Storage(self.no_room(&reason))),
            Err(error) => Err(Refusal::Unavailable(error.to_string())),
        }
    }
}

fn done(index: Index, answer: &[u8]) -> Attempt {
    match decode_answer(answer) {
        Some(answer) => Attempt::Done(index, answer),
        None => Attempt::Unknown,
    }
}
