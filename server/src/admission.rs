//! Admits new servers and agents that show a join token: checks it, and signs their certificate.

use std::time::Duration;

use proto::identity::Role;
use proto::net::Refusal;
use proto::wire;
use server_core::apply::Answer;
use server_core::command::{Command, JoinTokenRecord};

use crate::authority::{JoinRole, JoinToken, TokenText, check};
use crate::cluster::ClusterError;
use crate::server::Server;

/// How long the leader may take to confirm what is committed.
const READ_WITHIN: Duration = Duration::from_secs(5);

impl Server {
    /// Answers somebody without a certificate who wants to join.
    pub(crate) async fn admit_joiner(&self, join: wire::Join) -> Result<wire::Joined, Refusal> {
        let authority = self.inner.config.authority.clone().ok_or_else(|| {
            Refusal::Unavailable("this server does not hold the authority's key; ask one of the first servers".into())
        })?;
        let text: TokenText = join.token.parse().map_err(denied)?;
        let kept = self.find_token(&text.id).await?;
        check(&text, &kept, self.wall()).map_err(denied)?;
        if join.role != kept.role.to_string() {
            return Err(Refusal::Denied(format!(
                "the join token is for a new {}, not for a new {}",
                kept.role, join.role
            )));
        }
        let role = match kept.role {
            JoinRole::Agent => {
                let node =
                    join.node.parse().map_err(|error: model::ParseIdError| Refusal::Invalid(error.to_string()))?;
                Role::Agent(node)
            }
            JoinRole::Server => Role::Server(self.allocate_server(&join).await?),
        };
        let certificate_pem = authority
            .sign(&join.certificate_request_pem, role, self.wall())
            .map_err(|error| Refusal::Invalid(error.to_string()))?;
        tracing::info!(name = join.name, ?role, token = text.id, "admitted a new member");
        let server = |server: &std::sync::Arc<server_core::command::ServerRecord>| wire::Server {
            id: server.id,
            address: server.address.clone(),
            http_address: server.http_address.clone(),
        };
        Ok(wire::Joined {
            certificate_pem,
            authority_pem: authority.certificate_pem().to_string(),
            cluster: self.inner.config.cluster.to_string(),
            server_id: if let Role::Server(id) = role { id } else { 0 },
            servers: self.state().servers().map(server).collect(),
        })
    }

    /// The token that the cluster keeps under `id`.
    async fn find_token(&self, id: &str) -> Result<JoinToken, Refusal> {
        let kept = || self.state().join_token(id).and_then(|record| token(record));
        if let Some(token) = kept() {
            return Ok(token);
        }
        // It may have been made on another server a moment ago.
        let unavailable = |_| Refusal::Unavailable(ClusterError::NoLeader.to_string());
        self.inner.raft.barrier(READ_WITHIN).await.map_err(unavailable)?;
        let is_coming = || self.inner.config.join_tokens.iter().any(|record| record.id == id);
        match kept() {
            Some(token) => Ok(token),
            // Made with the cluster, whose first leader is about to put it into the log.
            None if is_coming() => Err(Refusal::Unavailable("the cluster is only just beginning".into())),
            None => Err(Refusal::Denied("the join token is not known; ask for a new one".into())),
        }
    }

    async fn allocate_server(&self, join: &wire::Join) -> Result<model::ServerId, Refusal> {
        let command = Command::AllocateServer {
            name: join.name.clone(),
            address: join.address.clone(),
            http_address: String::new(),
        };
        let unavailable = |error: ClusterError| Refusal::Unavailable(error.to_string());
        match self.propose_own(command).await.map_err(unavailable)? {
            Answer::Accepted(accepted) => {
                accepted.server.ok_or_else(|| Refusal::Unavailable("no server id was given out".into()))
            }
            Answer::Rejected(rejection) => Err(Refusal::Invalid(rejection.to_string())),
        }
    }
}

/// A token as the authority checks it.
fn token(record: &JoinTokenRecord) -> Option<JoinToken> {
    Some(JoinToken {
        id: record.id.clone(),
        role: record.role.parse().ok()?,
        secret_hash: record.secret_hash.clone(),
        expires_at: record.expires_at,
    })
}

/// A token as the state keeps it.
pub fn token_record(token: &JoinToken) -> JoinTokenRecord {
    JoinTokenRecord {
        id: token.id.clone(),
        role: token.role.to_string(),
        secret_hash: token.secret_hash.clone(),
        expires_at: token.expires_at,
    }
}

fn denied(error: crate::authority::TokenError) -> Refusal {
    Refusal::Denied(error.to_string())
}
