//! Who leads, as this server knows it.
//!
//! openraft's leader leads on when it has lost its majority, and a follower goes on naming the leader that it lost. Here
//! both know of none once [`QUORUM_SILENCE_MAX_ELECTIONS`] longest elections have passed in silence: what cannot commit
//! must not judge nodes, and must not be taken for a leader by anybody. A leader that gets its majority back begins anew.

use model::{ServerId, Term};
use openraft::async_runtime::WatchReceiver as _;
use openraft::metrics::RaftServerMetrics;
use openraft::{ChangeMembers, ServerState};
use tokio::sync::watch;
use tokio::time::{Duration, sleep, timeout};

use super::Core;
use super::config::Timings;
use super::contact::Contact;
use super::types::TypeConfig;

/// Silence after which there is no leader, in longest election times.
pub const QUORUM_SILENCE_MAX_ELECTIONS: u32 = 3;

/// Who leads in which term.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Leadership {
    /// The highest term that this server knows.
    pub term: Term,
    /// The leader's id and address, if one is known.
    pub leader: Option<(ServerId, String)>,
    /// Whether it is this server.
    pub is_leader: bool,
}

impl Leadership {
    /// Whether this server leads in `term`. Work that was begun in another term is void.
    pub fn leads(&self, term: Term) -> bool {
        self.is_leader && self.term == term
    }
}

/// What openraft says of itself, in our words.
pub fn leadership_of(metrics: &RaftServerMetrics<TypeConfig>) -> Leadership {
    let address = |id| metrics.membership_config.get_node(&id).map(|node| node.addr.clone()).unwrap_or_default();
    Leadership {
        term: metrics.vote.leader_id.term,
        leader: metrics.current_leader.map(|id| (id, address(id))),
        is_leader: metrics.state == ServerState::Leader && metrics.current_leader == Some(metrics.id),
    }
}

/// Publishes every change of leadership, until the server stops. A new leader also ends a change of members that its
/// predecessor left half done.
pub async fn follow(core: Core, contact: Contact, published: watch::Sender<Leadership>, timings: Timings) {
    let mut metrics = core.server_metrics();
    // The term in which openraft last made this server the leader.
    let mut elected_in = None;
    let silence_max = timings.election_max * QUORUM_SILENCE_MAX_ELECTIONS;
    loop {
        let mut now = leadership_of(&metrics.borrow_and_update());
        if now.is_leader && elected_in != Some(now.term) {
            // A majority has just voted for it; openraft counts from its first answer on.
            contact.note();
            elected_in = Some(now.term);
        }
        if contact.silence(&core) >= silence_max {
            (now.leader, now.is_leader) = (None, false);
        }
        let mut became_leader = false;
        published.send_if_modified(|before| {
            became_leader = now.is_leader && !before.leads(now.term);
            std::mem::replace(before, now.clone()) != now
        });
        if became_leader {
            tracing::info!(term = now.term, "became the leader");
            tokio::spawn(settle_members(core.clone(), now.term, timings.retry));
        }
        // Silence is no change; it is looked for.
        if let Ok(Err(_)) = timeout(timings.election_min, metrics.changed()).await {
            return;
        }
    }
}

/// Members change in two steps; a leader that died between them leaves two sets of voters, which only the next change
/// would join.
async fn settle_members(core: Core, term: Term, retry: Duration) {
    loop {
        let (leadership, configs) = {
            let metrics = core.server_metrics();
            let metrics = metrics.borrow_watched();
            (leadership_of(&metrics), metrics.membership_config.get_joint_config().clone())
        };
        let [_, wanted] = configs.as_slice() else { return };
        if !leadership.leads(term) {
            return;
        }
        match core.change_membership(ChangeMembers::ReplaceAllVoters(wanted.clone()), false).await {
            Ok(_) => tracing::info!(voters = ?wanted, "ended a change of members that the last leader had begun"),
            // The leader's first entry is not committed yet, or another change is under way.
            Err(error) => tracing::debug!(%error, "can't end the change of members yet"),
        }
        sleep(retry).await;
    }
}
