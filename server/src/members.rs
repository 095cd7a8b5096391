//! Brings this server into the cluster and takes others out of it, and says in the state where it is and what it speaks.
//!
//! An id is one server's for ever. A server whose data is gone must not come back with its old id, because it has forgotten
//! what it voted and what it confirmed: before it begins with an empty folder, it asks the others whether they know it.
//! One that left is not taken in again, because somebody may have counted on its being gone.

use std::time::Duration;

use proto::net::{NetError, Peer, Refusal};
use proto::wire::{self, request, response};
use serde::{Deserialize, Serialize};
use server_core::apply::{Answer, Rejection};
use server_core::command::Command;
use tokio::time::{Instant, sleep, timeout};

use crate::cluster::ClusterError;
use crate::raft::ChangeMembersError;
use crate::server::{Server, ServerConfig, ServerSeams, StartServer};

/// Pause before another attempt to be taken in.
const RETRY_PAUSE: Duration = Duration::from_millis(200);
/// How long the leader may take to catch a new server up and let it vote.
const TAKE_IN_WITHIN: Duration = Duration::from_secs(60);
/// How long it may take until a server has left, or leadership is with another: elections included.
const CHANGE_WITHIN: Duration = Duration::from_secs(30);
/// How long the leader may take to let a server go, once it is asked.
const LET_GO_WITHIN: Duration = Duration::from_secs(10);
/// How long another server may take to say whether it knows this one.
const KNOWS_WITHIN: Duration = Duration::from_secs(1);

/// A server asks the leader for this.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum MemberRequest {
    /// To vote from now on.
    TakeIn {
        /// Where it is reached.
        address: String,
    },
    /// To be forgotten, or that another one is.
    LetGo {
        /// The server to forget.
        id: model::ServerId,
    },
    /// That leadership goes to another.
    Transfer {
        /// The server that shall lead.
        to: model::ServerId,
    },
    /// Any server, not only the leader: whether it has heard of the asking one.
    Knows,
}

impl MemberRequest {
    fn to_wire(&self) -> wire::Request {
        let body = serde_json::to_vec(self).expect("a request can be written to memory").into();
        let admin = wire::Admin { action: "member".into(), body };
        wire::Request { body: Some(request::Body::Admin(admin)) }
    }
}

/// What a server answers to [`MemberRequest::Knows`] where it does.
const KNOWS: &[u8] = b"knows";

/// Refuses to begin with an empty folder under an id that another server has seen in the cluster.
pub(crate) async fn check_unknown(config: &ServerConfig, seams: &ServerSeams) -> Result<(), StartServer> {
    for peer in config.peers.iter().filter(|peer| peer.server != Some(config.id) && peer.address != config.address) {
        let asked = seams.dialer.call(peer, MemberRequest::Knows.to_wire(), KNOWS_WITHIN).await;
        if let Ok(wire::Response { body: Some(response::Body::Admin(body)) }) = asked
            && body.as_ref() == KNOWS
        {
            return Err(StartServer::DataGone { id: config.id, peer: peer.address.clone() });
        }
    }
    Ok(())
}

/// How long a server knows of no leader before it asks whether it has left.
const LEADERLESS_FOR: Duration = Duration::from_secs(5);

/// Asks to be taken in until it is, then announces this server, and asks again whenever it has heard of no leader for a
/// while: who was removed meanwhile is told so by nobody else. Ends when the cluster says never.
pub(crate) async fn take_part(server: Server) {
    let config = &server.inner.config;
    while !server.raft().members().iter().any(|member| member.id == config.id) {
        for peer in config.peers.iter().filter(|peer| peer.server != Some(config.id)) {
            let ask = MemberRequest::TakeIn { address: config.address.clone() };
            match ask_member(&server, peer.clone(), &ask).await {
                Ok(()) => break,
                Err(NetError::Refused(Refusal::Denied(why))) => {
                    tracing::error!(peer = peer.address, why, "this server is not taken in");
                    return server.end(why);
                }
                Err(error) => tracing::debug!(peer = peer.address, %error, "not taken in yet"),
            }
        }
        sleep(RETRY_PAUSE).await;
    }
    if announce(&server).await {
        ask_when_leaderless(&server).await;
    }
}

/// Says in the state where this server is; false if the cluster says never.
async fn announce(server: &Server) -> bool {
    loop {
        let record = server.record();
        if server.state().server(record.id).is_some_and(|known| **known == record) {
            return true;
        }
        match server.propose_own(Command::AnnounceServer { server: record }).await {
            Ok(Answer::Accepted(_)) => {}
            Ok(Answer::Rejected(rejection @ Rejection::ServerRemoved { .. })) => {
                server.end(rejection.to_string());
                return false;
            }
            Ok(Answer::Rejected(rejection)) => tracing::debug!(%rejection, "not announced yet"),
            Err(error) => tracing::debug!(%error, "not announced yet"),
        }
        sleep(RETRY_PAUSE).await;
    }
}

async fn ask_when_leaderless(server: &Server) {
    let config = &server.inner.config;
    let mut leadership = server.raft().leader();
    loop {
        let leads = leadership.wait_for(|now| now.leader.is_none()).await.map(drop);
        if leads.is_err() {
            return;
        }
        if timeout(LEADERLESS_FOR, leadership.wait_for(|now| now.leader.is_some())).await.is_ok() {
            continue;
        }
        let known: Vec<Peer> =
            server.state().servers().map(|record| Peer::server(record.id, record.address.clone())).collect();
        for peer in known.into_iter().chain(config.peers.clone()).filter(|peer| peer.server != Some(config.id)) {
            let ask = MemberRequest::TakeIn { address: config.address.clone() };
            if let Err(NetError::Refused(Refusal::Denied(why))) = ask_member(server, peer, &ask).await {
                tracing::error!(why, "this server is not taken in any more");
                return server.end(why);
            }
        }
    }
}

/// Asks `peer`, and if it is not the leader, the leader that it names.
async fn ask_member(server: &Server, peer: Peer, ask: &MemberRequest) -> Result<(), NetError> {
    let dialer = &server.inner.seams.dialer;
    match dialer.call(&peer, ask.to_wire(), TAKE_IN_WITHIN).await {
        Err(NetError::Refused(Refusal::NotLeader { leader: Some(leader) })) => {
            dialer.call(&Peer::any(leader), ask.to_wire(), TAKE_IN_WITHIN).await.map(drop)
        }
        answer => answer.map(drop),
    }
}

impl Server {
    /// Answers a server that asks for a change of members.
    pub(crate) async fn change_member(&self, from: model::ServerId, body: &[u8]) -> Result<bytes::Bytes, Refusal> {
        let ask: MemberRequest =
            serde_json::from_slice(body).map_err(|error| Refusal::Invalid(format!("a change of members: {error}")))?;
        let raft = &self.inner.raft;
        if let MemberRequest::Knows = ask {
            return Ok(if self.knows(from) { bytes::Bytes::from_static(KNOWS) } else { bytes::Bytes::new() });
        }
        // While a cluster forms, servers ask each other: one that knows no leader must not keep the others waiting.
        if raft.leader().borrow().leader.is_none() {
            return Err(Refusal::NotLeader { leader: None });
        }
        let changed = match ask {
            MemberRequest::TakeIn { .. } if self.state().is_removed_server(from) => {
                return Err(Refusal::Denied(format!(
                    "server {from} has left the cluster, and its id is never used again; give it an empty data folder \
                     and have it join with a token"
                )));
            }
            MemberRequest::TakeIn { address } => raft.add_server(from, &address, TAKE_IN_WITHIN).await,
            MemberRequest::LetGo { id } if id == self.inner.config.id => {
                self.hand_over().await;
                return Err(Refusal::NotLeader { leader: None });
            }
            MemberRequest::LetGo { id } => raft.remove_server(id, LET_GO_WITHIN).await,
            MemberRequest::Transfer { to } => raft.transfer_leadership(to, LET_GO_WITHIN).await,
            MemberRequest::Knows => Ok(()),
        };
        changed.map(|()| bytes::Bytes::new()).map_err(|error| match error {
            ChangeMembersError::NotLeader { leader } => {
                Refusal::NotLeader { leader: leader.map(|(_, address)| address) }
            }
            error => Refusal::Unavailable(error.to_string()),
        })
    }

    /// Whether server `id` has taken part in the cluster as far as this one has heard.
    fn knows(&self, id: model::ServerId) -> bool {
        let state = self.state();
        // An id that was only given out has no version yet: its server is about to begin.
        let was_announced = state.server(id).is_some_and(|record| record.version > 0);
        was_announced || state.is_removed_server(id) || self.raft().members().iter().any(|member| member.id == id)
    }

    /// Takes a server out of the cluster for good, wherever the leader is. Once that is in the log, every leader works
    /// on it; this waits until one is done.
    pub(crate) async fn let_go(&self, id: model::ServerId) -> Result<(), ClusterError> {
        if self.raft().members().iter().all(|member| member.id == id) {
            return Err(ClusterError::Refused(format!("server {id} is the last one: the cluster would be gone")));
        }
        match self.propose_own(Command::ForgetServer { id, term: None }).await? {
            Answer::Accepted(_) | Answer::Rejected(Rejection::NoSuchServer) => {}
            Answer::Rejected(rejection) => return Err(ClusterError::Refused(rejection.to_string())),
        }
        let is_gone = || !self.raft().members().iter().any(|member| member.id == id);
        self.at_leader(&MemberRequest::LetGo { id }, is_gone).await
    }

    /// Hands leadership to another server, wherever it is now.
    pub(crate) async fn transfer(&self, to: model::ServerId) -> Result<(), ClusterError> {
        let leads = || self.raft().leader().borrow().leader.as_ref().is_some_and(|(leader, _)| *leader == to);
        self.at_leader(&MemberRequest::Transfer { to }, leads).await
    }

    /// Asks whoever leads until it is done as far as this server sees, at most for [`CHANGE_WITHIN`].
    async fn at_leader(&self, ask: &MemberRequest, is_done: impl Fn() -> bool) -> Result<(), ClusterError> {
        let deadline = Instant::now() + CHANGE_WITHIN;
        let mut why = "no leader is known".to_string();
        loop {
            let leader = self.inner.raft.leader().borrow().leader.clone();
            if let Some((leader, address)) = leader {
                let asked = if leader == self.inner.config.id {
                    let body = serde_json::to_vec(ask).expect("a request can be written to memory");
                    self.change_member(leader, &body).await.map(drop).map_err(|refusal| refusal.to_string())
                } else {
                    let asked = ask_member(self, Peer::server(leader, address), ask).await;
                    asked.map_err(|error| error.to_string())
                };
                match asked {
                    Ok(()) => return Ok(()),
                    Err(error) => why = error,
                }
            }
            // The answer may be lost, and the deed done all the same.
            if is_done() {
                return Ok(());
            }
            if Instant::now() + RETRY_PAUSE >= deadline {
                return Err(ClusterError::Refused(format!("it did not come about within {CHANGE_WITHIN:?}: {why}")));
            }
            sleep(RETRY_PAUSE).await;
        }
    }
}
