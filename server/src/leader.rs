//! What a leader does, and only for as long as it leads: plan, watch nodes, drains, deployments and
//! rebalances, look after servers, collect.
//!
//! What these loops decide carries the term, and `apply` rejects that of an older one; so a loop that does not know yet
//! that its server was replaced can do no harm. Only what a new cluster begins with has none, since it is the same whoever
//! leads. All loops are level-triggered: they look at the state, not at what changed, and a new leader goes on where the old
//! one stopped.

mod autopilot;
mod clocks;
mod collection;
mod planner;
mod rebalance;
mod watch;

use std::collections::BTreeMap;
use std::time::Duration;

use model::old_bugs::{OldBug, is_on};
use model::{ClusterId, ServerId, Term};
use server_core::apply::Answer;
use server_core::clocks::NodeClocks;
use server_core::command::{Command, JoinTokenRecord, ServerRecord};
use server_core::limits::REATTACH_WITHIN;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::server::{Leading, Server};

/// How long a new leader waits for its first entry to be applied before it tries again.
const FIRST_ENTRY_WITHIN: Duration = Duration::from_secs(5);
/// Pause before another attempt to begin.
const RETRY_PAUSE: Duration = Duration::from_millis(50);

/// Does the leader's work whenever this server leads. Ends with the server.
pub(crate) async fn lead(server: Server) {
    let mut leadership = server.inner.raft.leader();
    loop {
        let now = leadership.borrow_and_update().clone();
        if now.is_leader {
            lead_in(&server, now.term, &mut leadership).await;
        } else if leadership.changed().await.is_err() {
            return;
        }
    }
}

/// Leads in `term`, until this server does not any more.
async fn lead_in(server: &Server, term: Term, leadership: &mut tokio::sync::watch::Receiver<crate::raft::Leadership>) {
    // A leader may decide only on a state that holds everything its predecessors committed.
    while server.inner.raft.leads(term) && server.inner.raft.barrier(FIRST_ENTRY_WITHIN).await.is_err() {
        sleep(RETRY_PAUSE).await;
    }
    if !server.inner.raft.leads(term) {
        return;
    }
    server.tell_time_in(term);
    tracing::info!(term, "leads");
    set_leading(server, Some(Leading { clocks: clocks_of(server), usage: BTreeMap::new(), servers: Vec::new() }));
    let mut loops = JoinSet::new();
    loops.spawn(begin_cluster(server.clone()));
    loops.spawn(planner::run(server.clone(), term));
    loops.spawn(clocks::run(server.clone(), term));
    loops.spawn(watch::run(server.clone(), term));
    loops.spawn(rebalance::run(server.clone(), term));
    loops.spawn(collection::run(server.clone(), term));
    loops.spawn(autopilot::run(server.clone(), term));
    while server.inner.raft.leads(term) {
        tokio::select! {
            biased;
            changed = leadership.changed() => if changed.is_err() { break },
            Some(ended) = loops.join_next() => if let Err(error) = ended {
                // All begin anew: they remember nothing that the state does not hold.
                tracing::error!(term, %error, "a loop of the leader's panicked");
                sleep(RETRY_PAUSE).await;
                break;
            }
        }
    }
    if is_on(OldBug::OldTermObeyed) {
        loops.detach_all();
    }
    loops.shutdown().await;
    set_leading(server, None);
    tracing::info!(term, "leads no more");
}

/// Fresh clocks over the nodes; after a restore they wait for nodes that have to find the cluster first.
fn clocks_of(server: &Server) -> NodeClocks {
    let since_restore = server.state().restored_at().map(|restored_at| server.now().since(restored_at));
    match since_restore.and_then(left_to_reattach) {
        Some(left) => NodeClocks::awaiting(server.monotonic() + left),
        None => NodeClocks::default(),
    }
}

/// How much longer nodes are awaited, so long after a restore; none if they no longer are.
fn left_to_reattach(since_restore: Duration) -> Option<Duration> {
    REATTACH_WITHIN.checked_sub(since_restore).filter(|left| !left.is_zero())
}

fn set_leading(server: &Server, leading: Option<Leading>) {
    *server.inner.leading.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = leading;
}

/// The first leader gives the state its cluster id, takes the ids of the first servers from those that are free, and keeps
/// the join tokens that `server init` made; in that order, since a token is what one is given an id for.
async fn begin_cluster(server: Server) {
    while let Some(command) = lacks(&server) {
        propose(&server, command).await;
        sleep(RETRY_PAUSE).await;
    }
}

/// The next command that a new cluster lacks.
fn lacks(server: &Server) -> Option<Command> {
    let (config, state) = (&server.inner.config, server.state());
    if state.cluster() == ClusterId::default() {
        return Some(Command::InitializeCluster { cluster: config.cluster });
    }
    let last = config.peers.iter().filter_map(|peer| Some((peer.server?, peer))).max_by_key(|(id, _)| *id);
    if let Some((id, peer)) = last.filter(|(id, _)| *id > state.last_server_id()) {
        return Some(Command::AnnounceServer { server: not_yet_announced(id, &peer.address) });
    }
    let is_lacking =
        |token: &&JoinTokenRecord| token.expires_at > server.now() && state.join_token(&token.id).is_none();
    let token = config.join_tokens.iter().find(is_lacking)?;
    Some(Command::PutJoinToken { token: token.clone() })
}

/// What is known of a first server before it speaks for itself.
fn not_yet_announced(id: ServerId, address: &str) -> ServerRecord {
    ServerRecord {
        id,
        name: format!("server-{id}"),
        address: address.into(),
        http_address: String::new(),
        version: 0,
        build: String::new(),
    }
}

/// Proposes a command of the leader's own; what goes wrong is logged, and the loop that asked looks at the state again.
async fn propose(server: &Server, command: Command) {
    let name = command.name();
    match server.propose_own(command).await {
        Ok(Answer::Accepted(_)) => {}
        Ok(Answer::Rejected(rejection)) => tracing::debug!(command = name, %rejection, "a command was rejected"),
        Err(error) => tracing::warn!(command = name, %error, "a command was not committed"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_are_awaited_after_a_restore_up_to_the_limit() {
        let last = Duration::from_millis(1);
        assert_eq!(left_to_reattach(Duration::ZERO), Some(REATTACH_WITHIN));
        assert_eq!(left_to_reattach(REATTACH_WITHIN - last), Some(last));
        assert_eq!(left_to_reattach(REATTACH_WITHIN), None);
        assert_eq!(left_to_reattach(REATTACH_WITHIN + last), None);
    }
}
