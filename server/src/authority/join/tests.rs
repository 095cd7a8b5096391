//! Joining with a token: what is signed, what is refused.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use proto::grpc::serve;
use proto::net::{Caller, Channel, Dialer, Peer, Refusal, Service};
use proto::wire::{Request, Response, request, response};
use seams::SystemRandom;
use tokio::net::TcpListener;

use super::super::testing::{authority, now};
use super::super::{Authority, JOIN_TOKEN_TTL_DEFAULT, JoinToken, check, mint};
use super::*;

const PATIENCE: Duration = Duration::from_secs(20);

/// Admits whoever has the token, and gives servers the number 9. Tells each caller who it is.
struct Registrar {
    authority: Authority,
    token: JoinToken,
    meddle: fn(&mut wire::Joined),
    heard: Mutex<Vec<wire::Join>>,
}

#[async_trait]
impl Service for Registrar {
    async fn call(&self, caller: Caller, request: Request) -> Result<Response, Refusal> {
        let Some(request::Body::Join(join)) = request.body else {
            return Ok(Response { body: Some(response::Body::Admin(caller.to_string().into())) });
        };
        self.heard.lock().unwrap().push(join.clone());
        let text: TokenText = join.token.parse().map_err(|error: TokenError| Refusal::Invalid(error.to_string()))?;
        check(&text, &self.token, now()).map_err(|error| Refusal::Denied(error.to_string()))?;
        let (role, server_id) = match text.role {
            JoinRole::Server => (Role::Server(9), 9),
            JoinRole::Agent => (Role::Agent(join.node.parse().unwrap()), 0),
        };
        let mut joined = wire::Joined {
            certificate_pem: self.authority.sign(&join.certificate_request_pem, role, now()).unwrap(),
            authority_pem: self.authority.certificate_pem().to_string(),
            cluster: self.authority.cluster().to_string(),
            server_id,
            servers: vec![wire::Server { id: 1, address: "a:1".to_string(), http_address: String::new() }],
        };
        (self.meddle)(&mut joined);
        Ok(Response { body: Some(response::Body::Joined(joined)) })
    }

    async fn open(&self, _: Caller, _: Channel) {}
}

struct Cluster {
    address: String,
    token: String,
    registrar: Arc<Registrar>,
}

impl Cluster {
    async fn start(role: JoinRole) -> Self {
        Self::meddling(role, |_| {}).await
    }

    async fn meddling(role: JoinRole, meddle: fn(&mut wire::Joined)) -> Self {
        let authority = authority();
        let identity = authority.issue(Role::Server(1), now()).unwrap();
        let (text, token) = mint(authority.hash(), &SystemRandom, now(), role, JOIN_TOKEN_TTL_DEFAULT);
        let registrar = Arc::new(Registrar { authority, token, meddle, heard: Mutex::default() });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let service = registrar.clone();
        tokio::spawn(async move {
            serve(listener, &identity, service, seams::Workers::shared(), std::future::pending()).await.unwrap()
        });
        Self { address, token: text.expose().clone(), registrar }
    }

    async fn join(&self, joiner: &Joiner) -> Result<Joined, JoinError> {
        join(&self.address, &self.token, joiner, PATIENCE).await
    }
}

fn agent() -> Joiner {
    Joiner::Agent { node: NodeId::derive(&[b"n"]), name: "n1".to_string(), key: None }
}

fn server() -> Joiner {
    Joiner::Server { name: "s9".to_string(), address: "127.0.0.9:4647".to_string() }
}

#[tokio::test]
async fn whoever_joined_can_talk_to_the_cluster_as_what_it_became() {
    for (role, joiner, becomes) in [
        (JoinRole::Agent, agent(), format!("agent {}", NodeId::derive(&[b"n"]))),
        (JoinRole::Server, server(), "server 9".to_string()),
    ] {
        let cluster = Cluster::start(role).await;
        let joined = cluster.join(&joiner).await.unwrap();
        assert_eq!(joined.servers[0].address, "a:1");
        let dialer = GrpcDialer::new(&joined.identity).unwrap().with_connect_timeout(PATIENCE);
        let answer = dialer.call(&Peer::server(1, &cluster.address), Request::default(), PATIENCE).await.unwrap();
        assert_eq!(answer.body, Some(response::Body::Admin(becomes.into())));
    }
}

#[tokio::test]
async fn a_token_is_shown_to_its_own_cluster_alone() {
    let (cluster, other) = (Cluster::start(JoinRole::Agent).await, Cluster::start(JoinRole::Agent).await);
    let error = join(&other.address, &cluster.token, &agent(), PATIENCE).await.unwrap_err();
    assert!(cause(&error).contains("not of the cluster that the token is for"), "{error:?}");
    assert_eq!(other.registrar.heard.lock().unwrap().len(), 0);
}

#[tokio::test]
async fn a_token_for_another_role_is_not_even_sent() {
    let cluster = Cluster::start(JoinRole::Agent).await;
    let error = cluster.join(&server()).await.unwrap_err();
    assert_eq!(error.to_string(), "the join token is for a new agent, not for a new server");
    assert_eq!(cluster.registrar.heard.lock().unwrap().len(), 0);
}

#[tokio::test]
async fn a_refusal_says_why() {
    let mut cluster = Cluster::start(JoinRole::Agent).await;
    let last = cluster.token.pop().unwrap();
    cluster.token.push(if last == '0' { '1' } else { '0' });
    let error = cluster.join(&agent()).await.unwrap_err();
    assert_eq!(error.to_string(), "cannot join");
    assert_eq!(cause(&error), "permission denied: the join token is not valid; ask for a new one");
}

/// What an error was caused by.
fn cause(error: &JoinError) -> String {
    std::error::Error::source(error).map(ToString::to_string).unwrap_or_default()
}

#[tokio::test]
async fn an_identity_that_is_not_ours_is_not_taken() {
    let wrong_cluster = Cluster::meddling(JoinRole::Agent, |joined| joined.cluster.clear()).await;
    assert!(matches!(wrong_cluster.join(&agent()).await, Err(JoinError::Answer(_))));
    let wrong_authority = Cluster::meddling(JoinRole::Agent, |joined| {
        joined.authority_pem = authority().certificate_pem().to_string();
    });
    assert!(matches!(wrong_authority.await.join(&agent()).await, Err(JoinError::Answer(_))));
    let wrong_server = Cluster::meddling(JoinRole::Server, |joined| joined.server_id = 8).await;
    assert!(matches!(wrong_server.join(&server()).await, Err(JoinError::Answer(_))));
    let nameless = Cluster::meddling(JoinRole::Server, |joined| joined.certificate_pem = joined.authority_pem.clone());
    assert!(matches!(nameless.await.join(&server()).await, Err(JoinError::Identity(_))));
}

#[tokio::test]
async fn a_certificate_for_another_key_is_not_taken() {
    let cluster = Cluster::start(JoinRole::Server).await;
    let authority = &cluster.registrar.authority;
    let ours = authority.issue(Role::Server(9), now()).unwrap();
    let folder = super::super::testing::Folder::new();
    ours.save(folder.path()).unwrap();
    let certificate = std::fs::read_to_string(folder.path().join("cert.pem")).unwrap();
    let key = KeyPair::generate().unwrap().serialize_pem();
    let mixed = Identity::new(certificate, Secret::new(key), authority.certificate_pem().to_string()).unwrap();
    assert!(matches!(GrpcDialer::new(&mixed), Err(TlsError::Unusable(_))));
}
