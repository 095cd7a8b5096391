//! Holds this server's state against that of the others: it tells the leader its marks, and the leader judges.
//!
//! A server that has something else than a majority raises an alarm and ends: what it would go on to serve is wrong, and so
//! would be what it voted for. The one that finds itself wrong may be the leader.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use model::ServerId;
use proto::net::{Peer, Refusal};
use proto::wire::{self, request, response};
use server_core::chain::{Chain, Mark, Marks, Verdict};
use server_core::state::State;
use tokio::sync::watch;
use tokio::time::sleep;

use crate::alarms::Raised;
use crate::raft::Role;
use crate::server::Server;

/// The action under which marks are told to the leader.
pub(crate) const ACTION: &str = "mark";
/// How long the leader may take to judge.
const JUDGED_WITHIN: Duration = Duration::from_secs(5);
/// Pause before a leader is looked for again.
const RETRY_PAUSE: Duration = Duration::from_millis(500);
/// How often a mark is told before the next one is waited for.
const ATTEMPTS_MAX: u32 = 20;
/// The name of what does not hold then.
const INVARIANT: &str = "same everywhere";

/// A state to be marked, with what led to it.
pub(crate) type Marked = Option<(Chain, State)>;

/// What a server knows of marks.
#[derive(Default)]
pub(crate) struct Kept(Mutex<Marks>);

/// Computes the hash of each marked state, and tells the leader. Ends with the server.
pub(crate) async fn tell(server: Server, mut marked: watch::Receiver<Marked>) {
    while marked.changed().await.is_ok() {
        let Some((chain, state)) = marked.borrow_and_update().clone() else { continue };
        let Ok(mark) = server.inner.seams.blocking.run(move || Mark::of(&state, chain)).await else { continue };
        for _ in 0..ATTEMPTS_MAX {
            if let Some(verdict) = tell_one(&server, mark).await {
                heed(&server, &verdict);
                break;
            }
            sleep(RETRY_PAUSE).await;
        }
    }
}

/// What the leader says of a mark; none if there is no leader that answers.
async fn tell_one(server: &Server, mark: Mark) -> Option<Verdict> {
    let leadership = server.inner.raft.leader().borrow().clone();
    if leadership.is_leader {
        return Some(server.judge(server.inner.config.id, mark));
    }
    let (leader, address) = leadership.leader?;
    let body = serde_json::to_vec(&mark).expect("numbers can be written to memory").into();
    let admin = wire::Admin { action: ACTION.into(), body };
    let request = wire::Request { body: Some(request::Body::Admin(admin)) };
    let answer = server.inner.seams.dialer.call(&Peer::server(leader, address), request, JUDGED_WITHIN).await;
    match answer.ok()?.body? {
        response::Body::Admin(bytes) => serde_json::from_slice(&bytes).ok(),
        _ => None,
    }
}

/// Raises an alarm if servers differ, and ends this one if it is wrong.
fn heed(server: &Server, verdict: &Verdict) {
    let (index, what) = match verdict {
        Verdict::Agrees => return,
        Verdict::Undecided { index } => (*index, "servers have different states, and no majority agrees".to_string()),
        Verdict::Wrong { index, servers } => {
            (*index, format!("the state of servers {servers:?} is another than a majority's"))
        }
    };
    let at = server.now();
    server.inner.alarms.raise(Raised { at, index, invariant: INVARIANT.into(), what: what.clone() });
    if let Verdict::Wrong { servers, .. } = verdict
        && servers.contains(&server.inner.config.id)
    {
        server
            .fail(format!("at index {index} {what}; bring this server back with an empty data folder, under a new id"));
    }
}

impl Server {
    /// Judges the mark of a server, as the leader.
    fn judge(&self, from: ServerId, mark: Mark) -> Verdict {
        let voters = self.inner.raft.members().iter().filter(|member| member.role == Role::Voter).count();
        self.inner.marks.0.lock().unwrap_or_else(PoisonError::into_inner).told(from, mark, voters)
    }

    /// Answers a server that tells its mark.
    pub(crate) fn take_mark(&self, from: ServerId, body: &[u8]) -> Result<Bytes, Refusal> {
        let mark: Mark = serde_json::from_slice(body).map_err(|error| Refusal::Invalid(format!("a mark: {error}")))?;
        if !self.inner.raft.leader().borrow().is_leader {
            return Err(Refusal::NotLeader { leader: None });
        }
        let verdict = self.judge(from, mark);
        // The one that is wrong may be this one.
        heed(self, &verdict);
        Ok(serde_json::to_vec(&verdict).expect("a verdict can be written to memory").into())
    }
}
