//! Brings this server into the cluster, and says in the state where it is and what it speaks.

use std::time::Duration;

use proto::net::{NetError, Peer, Refusal};
use proto::wire::{self, request};
use serde::{Deserialize, Serialize};
use server_core::command::Command;
use tokio::time::sleep;

use crate::cluster::ClusterError;
use crate::raft::ChangeMembersError;
use crate::server::Server;

/// Pause before another attempt to be taken in.
const RETRY_PAUSE: Duration = Duration::from_millis(200);
/// How long the leader may take to catch a new server up and let it vote.
const TAKE_IN_WITHIN: Duration = Duration::from_secs(60);
/// How long the leader may take to let a server go.
const LET_GO_WITHIN: Duration = Duration::from_secs(10);

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
}

impl MemberRequest {
    fn to_wire(&self) -> wire::Request {
        let body = serde_json::to_vec(self).expect("a request can be written to memory").into();
        let admin = wire::Admin { action: "member".into(), body };
        wire::Request { body: Some(request::Body::Admin(admin)) }
    }
}

/// Asks to be taken in until it is, then announces this server. Ends when both are done.
pub(crate) async fn take_part(server: Server) {
    let config = &server.inner.config;
    while !server.raft().members().iter().any(|member| member.id == config.id) {
        for peer in config.peers.iter().filter(|peer| peer.server != Some(config.id)) {
            let ask = MemberRequest::TakeIn { address: config.address.clone() };
            match ask_member(&server, peer.clone(), &ask).await {
                Ok(()) => break,
                Err(error) => tracing::debug!(peer = peer.address, %error, "not taken in yet"),
            }
        }
        sleep(RETRY_PAUSE).await;
    }
    loop {
        let record = server.record();
        if server.state().server(config.id).is_some_and(|known| **known == record) {
            return;
        }
        if let Err(error) = server.propose_own(Command::AnnounceServer { server: record }).await {
            tracing::debug!(%error, "not announced yet");
            sleep(RETRY_PAUSE).await;
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
    /// Answers a server that asks the leader for a change of members.
    pub(crate) async fn change_member(&self, from: model::ServerId, body: &[u8]) -> Result<(), Refusal> {
        let ask: MemberRequest =
            serde_json::from_slice(body).map_err(|error| Refusal::Invalid(format!("a change of members: {error}")))?;
        let raft = &self.inner.raft;
        // While a cluster forms, servers ask each other: one that knows no leader must not keep the others waiting.
        if raft.leader().borrow().leader.is_none() {
            return Err(Refusal::NotLeader { leader: None });
        }
        let changed = match ask {
            MemberRequest::TakeIn { address } => raft.add_server(from, &address, TAKE_IN_WITHIN).await,
            MemberRequest::LetGo { id } => raft.remove_server(id, LET_GO_WITHIN).await,
        };
        changed.map_err(|error| match error {
            ChangeMembersError::NotLeader { leader } => {
                Refusal::NotLeader { leader: leader.map(|(_, address)| address) }
            }
            error => Refusal::Unavailable(error.to_string()),
        })
    }

    /// Takes a server out of the cluster, wherever the leader is.
    pub(crate) async fn let_go(&self, id: model::ServerId) -> Result<(), ClusterError> {
        let leader = self.inner.raft.leader().borrow().leader.clone();
        let (leader, address) = leader.ok_or(ClusterError::NoLeader)?;
        if leader == self.inner.config.id {
            self.inner.raft.remove_server(id, LET_GO_WITHIN).await.map_err(|error| {
                tracing::warn!(server = id, %error, "can't let a server go");
                ClusterError::Unknown
            })?;
        } else {
            let asked = ask_member(self, Peer::server(leader, address), &MemberRequest::LetGo { id }).await;
            asked.map_err(|_| ClusterError::Unknown)?;
        }
        self.propose_own(Command::ForgetServer { id }).await.map(drop)
    }
}
