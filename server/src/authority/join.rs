//! Becoming a member: makes a key, or takes the one it had, asks a server for a certificate with a token, and puts the
//! identity together.
//!
//! The key never leaves this process but for the identity's folder. Whoever answers has proved that it is a server of
//! the cluster that the token is for, before the token is shown to it.

use std::time::Duration;

use model::{ClusterId, NodeId};
use proto::Secret;
use proto::grpc::{GrpcDialer, TlsError, ask_to_join, authority_hash};
use proto::identity::{Identity, IdentityError, Role};
use proto::net::{NetError, Refusal};
use proto::wire;
use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use thiserror::Error;

use super::token::{JoinRole, TokenError, TokenText};

/// Who wants to join.
#[derive(Clone, PartialEq, Eq)]
pub enum Joiner {
    /// A server.
    Server {
        /// What people call it.
        name: String,
        /// `host:port` where it will listen for servers and agents.
        address: String,
    },
    /// The agent of a node.
    Agent {
        /// The node, which keeps its id for as long as it keeps its data folder.
        node: NodeId,
        /// What people call it.
        name: String,
        /// The private key that the cluster knows it by, in PEM, if it has one from before.
        key: Option<Secret<String>>,
    },
}

impl Joiner {
    const fn role(&self) -> JoinRole {
        match self {
            Joiner::Server { .. } => JoinRole::Server,
            Joiner::Agent { .. } => JoinRole::Agent,
        }
    }
}

/// What a new member starts with.
#[derive(Debug)]
pub struct Joined {
    /// To be saved, and to connect and listen with.
    pub identity: Identity,
    /// The servers that it can talk to.
    pub servers: Vec<wire::Server>,
}

/// Why one didn't become a member.
#[derive(Debug, Error)]
pub enum JoinError {
    /// The token is none.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The token is for another role.
    #[error("the join token is for a new {token}, not for a new {joiner}")]
    Role {
        /// What one can become with the token.
        token: JoinRole,
        /// What somebody wants to become.
        joiner: JoinRole,
    },
    /// No server, or it refused.
    #[error("cannot join")]
    Asking(#[from] NetError),
    /// A key can't be made or read, or the request for its certificate not be made.
    #[error("cannot make a key, or read the one that was kept")]
    Key(#[from] rcgen::Error),
    /// What the server sent is no identity.
    #[error("the server sent something unusable")]
    Identity(#[from] IdentityError),
    /// What the server sent can't be used with our key.
    #[error("the server sent something unusable")]
    Tls(#[from] TlsError),
    /// What the server sent is not what we asked for.
    #[error("the server sent something unusable: {0}")]
    Answer(String),
}

impl JoinError {
    /// Whether asking again later may help: no server was reached, or it could not decide.
    pub fn is_passing(&self) -> bool {
        let JoinError::Asking(error) = self else { return false };
        match error {
            NetError::Unreachable { .. } | NetError::Unknown { .. } => true,
            NetError::Refused(refusal) => {
                matches!(refusal, Refusal::NotLeader { .. } | Refusal::Unavailable(_) | Refusal::Storage(_))
            }
        }
    }
}

/// Asks the server at `address` to admit `joiner` with the text of a join token, and waits at most `deadline`.
pub async fn join(address: &str, token: &str, joiner: &Joiner, deadline: Duration) -> Result<Joined, JoinError> {
    let parsed: TokenText = token.parse()?;
    if parsed.role != joiner.role() {
        return Err(JoinError::Role { token: parsed.role, joiner: joiner.role() });
    }
    let key = match joiner {
        Joiner::Agent { key: Some(kept), .. } => KeyPair::from_pem(kept.expose())?,
        Joiner::Agent { key: None, .. } | Joiner::Server { .. } => KeyPair::generate()?,
    };
    let request = CertificateParams::default().serialize_request(&key)?.pem()?;
    let question = question(token.trim(), joiner, request);
    let answer = ask_to_join(address, parsed.authority, question, deadline).await?;
    let wanted = match joiner {
        Joiner::Server { .. } => Role::Server(answer.server_id),
        Joiner::Agent { node, .. } => Role::Agent(*node),
    };
    let authority = CertificateDer::from_pem_slice(answer.authority_pem.as_bytes())
        .map_err(|error| JoinError::Answer(format!("the authority's certificate: {error}")))?;
    if authority_hash(&authority) != parsed.authority {
        return Err(JoinError::Answer("the certificate of another authority".to_string()));
    }
    let identity = Identity::new(answer.certificate_pem, Secret::new(key.serialize_pem()), answer.authority_pem)?;
    let cluster: Result<ClusterId, _> = answer.cluster.parse();
    if identity.role() != wanted || cluster != Ok(identity.cluster()) {
        return Err(JoinError::Answer(format!("{identity:?} for somebody else")));
    }
    // Fails if the certificate is not for our key: better now than at the next start.
    GrpcDialer::new(&identity)?;
    Ok(Joined { identity, servers: answer.servers })
}

fn question(token: &str, joiner: &Joiner, certificate_request_pem: String) -> wire::Join {
    let (name, address, node) = match joiner {
        Joiner::Server { name, address } => (name.clone(), address.clone(), String::new()),
        Joiner::Agent { node, name, .. } => (name.clone(), String::new(), node.to_string()),
    };
    let role = joiner.role().to_string();
    wire::Join { token: token.to_string(), role, name, address, certificate_request_pem, node }
}

#[cfg(test)]
mod tests;
