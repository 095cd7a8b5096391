//! The asking side: calls and conversations over one connection per peer.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use model::{ClusterId, ServerId};
use prost::Message;
use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::answer::{broken, from_wire, unknown};
use super::conversation::frames;
use super::link::{Connection, Link};
use super::{CONNECT_TIMEOUT_DEFAULT, MESSAGE_BYTES_MAX, TlsError, tls};
use crate::identity::{Identity, Role, member_of};
use crate::net::{CHANNEL_FRAMES_MAX, Channel, Dialer, Frames, NetError, Peer, Refusal};
use crate::wire::wire_client::WireClient;
use crate::wire::{Request, Response};

/// Peers whose connections are kept. There are a handful of servers; the limit is for addresses that change for ever.
const PEERS_MAX: usize = 256;

/// Connects to servers of the cluster, proving itself with an identity.
pub struct GrpcDialer {
    cluster: ClusterId,
    tls: Arc<ClientConfig>,
    connect_timeout: Duration,
    links: Mutex<BTreeMap<Peer, Arc<Link>>>,
}

impl GrpcDialer {
    /// A dialer that connects as `identity`.
    pub fn new(identity: &Identity) -> Result<Self, TlsError> {
        Ok(Self {
            cluster: identity.cluster(),
            tls: tls::client_config(identity)?,
            connect_timeout: CONNECT_TIMEOUT_DEFAULT,
            links: Mutex::default(),
        })
    }

    /// Gives peers `timeout` to accept a connection and prove themselves.
    #[must_use]
    pub fn with_connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    fn link(&self, peer: &Peer) -> Arc<Link> {
        let mut links = self.links.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(link) = links.get(peer) {
            return link.clone();
        }
        if links.len() >= PEERS_MAX {
            // Whoever is using a link keeps it; the others are made again when needed.
            links.clear();
        }
        let (cluster, server) = (self.cluster, peer.server);
        let check = Box::new(move |chain: &[CertificateDer<'_>]| check_server(cluster, server, chain));
        let link = Arc::new(Link::new(peer.address.clone(), self.tls.clone(), check, self.connect_timeout));
        links.insert(peer.clone(), link.clone());
        link
    }

    async fn client(&self, peer: &Peer, deadline: Instant) -> Result<WireClient<Connection>, NetError> {
        let unreachable = |reason| NetError::Unreachable { address: peer.address.clone(), reason };
        let link = self.link(peer);
        let connection = match timeout_at(deadline, link.connection()).await {
            Ok(connection) => connection.map_err(unreachable)?,
            Err(_) => return Err(unreachable("no connection within the deadline".to_string())),
        };
        Ok(client(connection))
    }
}

#[async_trait]
impl Dialer for GrpcDialer {
    async fn call(&self, peer: &Peer, request: Request, deadline: Duration) -> Result<Response, NetError> {
        let length = request.encoded_len();
        if length > MESSAGE_BYTES_MAX {
            let why = format!("a message of {length} bytes is longer than the {MESSAGE_BYTES_MAX} that are allowed");
            return Err(Refusal::Invalid(why).into());
        }
        let until = Instant::now() + deadline;
        let mut client = self.client(peer, until).await?;
        let answer = answer_by(until, deadline, &peer.address, client.call(request)).await?;
        from_wire(&peer.address, answer.into_inner())
    }

    async fn open(&self, peer: &Peer, deadline: Duration) -> Result<Channel, NetError> {
        let until = Instant::now() + deadline;
        let mut client = self.client(peer, until).await?;
        let (sender, outgoing) = mpsc::channel(CHANNEL_FRAMES_MAX);
        let opening = client.open(ReceiverStream::new(outgoing));
        let incoming = answer_by(until, deadline, &peer.address, opening).await?.into_inner();
        Ok(Channel { sender, receiver: Frames::new(frames(incoming)) })
    }
}

/// The generated client over `connection`.
pub(super) fn client(connection: Connection) -> WireClient<Connection> {
    WireClient::with_origin(connection, Connection::origin())
        .max_decoding_message_size(MESSAGE_BYTES_MAX)
        .max_encoding_message_size(MESSAGE_BYTES_MAX)
}

/// Waits for an answer until the deadline; `deadline` is how long that was, for the error.
pub(super) async fn answer_by<T>(
    until: Instant,
    deadline: Duration,
    address: &str,
    answer: impl Future<Output = Result<T, Status>>,
) -> Result<T, NetError> {
    match timeout_at(until, answer).await {
        Ok(answer) => answer.map_err(|status| broken(address, &status)),
        Err(_) => Err(unknown(address, format!("no answer within {deadline:?}"))),
    }
}

/// TLS has verified that the authority signed the certificate and that it is a server's. Which server is asked here.
fn check_server(cluster: ClusterId, wanted: Option<ServerId>, chain: &[CertificateDer<'_>]) -> Result<(), String> {
    let certificate = chain.first().ok_or("it presents no certificate")?;
    match member_of(certificate).map_err(|error| error.to_string())? {
        (its, _) if its != cluster => Err(format!("it belongs to cluster {its}, not {cluster}")),
        (_, Role::Agent(node)) => Err(format!("it is the agent of node {node}, not a server")),
        (_, Role::Server(id)) => match wanted {
            Some(wanted) if wanted != id => Err(format!("it is server {id}, not {wanted}")),
            Some(_) | None => Ok(()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TestAuthority;

    #[test]
    fn connections_to_as_many_peers_are_kept_as_the_limit_and_for_one_more_all_are_made_anew() {
        let dialer = GrpcDialer::new(&TestAuthority::new("a").identity(Role::Server(1))).unwrap();
        let link = |number: usize| dialer.link(&Peer::any(format!("peer-{number}:1")));
        let kept = || dialer.links.lock().unwrap().len();
        let first = link(0);
        (1..PEERS_MAX).for_each(|number| drop(link(number)));
        assert_eq!(kept(), PEERS_MAX);
        assert!(Arc::ptr_eq(&first, &link(0)), "a known peer takes no new place");
        link(PEERS_MAX);
        assert_eq!(kept(), 1);
        assert!(!Arc::ptr_eq(&first, &link(0)));
    }
}
