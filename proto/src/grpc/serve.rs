//! The answering side: accepts connections, learns from the certificate who is there, and hands questions and
//! conversations to the service.
//!
//! Whoever asks and goes away before the answer takes its question along: the service's future is dropped.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures::{Stream, StreamExt};
use hyper::server::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use model::ClusterId;
use seams::Workers;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use super::answer::{chain, to_wire};
use super::conversation::{closed, frames};
use super::{
    ANONYMOUS_CONNECTION_MAX, ANONYMOUS_MESSAGE_BYTES_MAX, CONNECTION_WINDOW_BYTES, CONNECTIONS_MAX, GIVEN_UP_MAX,
    HANDSHAKE_TIMEOUT, KEEP_ALIVE_INTERVAL, KEEP_ALIVE_TIMEOUT, MESSAGE_BYTES_MAX, SHUTDOWN_GRACE, STREAM_WINDOW_BYTES,
    STREAMS_MAX, TlsError, tls,
};
use crate::identity::{Identity, caller_of};
use crate::net::{CHANNEL_FRAMES_MAX, Caller, Channel, Frames, Service};
use crate::wire::wire_server::{Wire, WireServer};
use crate::wire::{self, Answer, Frame};

/// How long to wait after the system refused to accept a connection, which it does when we have too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves `service` on `listener` as `identity` until `shutdown`, other servers on threads `of_servers`; then ends
/// conversations, waits [`SHUTDOWN_GRACE`] for running calls, and returns. The error is an unusable identity; the network
/// gives none.
pub async fn serve(
    listener: TcpListener,
    identity: &Identity,
    service: Arc<dyn Service>,
    of_servers: Workers,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), TlsError> {
    serve_at_most(CONNECTIONS_MAX, listener, identity, service, of_servers, shutdown).await
}

pub(super) async fn serve_at_most(
    connections_max: usize,
    listener: TcpListener,
    identity: &Identity,
    service: Arc<dyn Service>,
    of_servers: Workers,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), TlsError> {
    let (close, closing) = watch::channel(false);
    let tls = TlsAcceptor::from(tls::server_config(identity)?);
    let door = Door { tls, cluster: identity.cluster(), service, of_servers, closing };
    let mut connections = JoinSet::new();
    tokio::pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept(), if connections.len() < connections_max => match accepted {
                Ok((tcp, _)) => {
                    connections.spawn(door.clone().admit(tcp));
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }
    drop(listener);
    close.send_replace(true);
    // Those still there when the grace is over are cut off by dropping the set.
    let _ = timeout(SHUTDOWN_GRACE, async { while connections.join_next().await.is_some() {} }).await;
    Ok(())
}

/// Why a connection ended.
type Broken = Box<dyn std::error::Error + Send + Sync>;

/// What each connection needs.
#[derive(Clone)]
struct Door {
    tls: TlsAcceptor,
    cluster: ClusterId,
    service: Arc<dyn Service>,
    of_servers: Workers,
    closing: watch::Receiver<bool>,
}

impl Door {
    async fn admit(self, tcp: TcpStream) {
        let from = tcp.peer_addr().map(|address| address.to_string()).unwrap_or_default();
        if let Err(error) = self.hold(tcp).await {
            // Strangers knock on every open port; that is not worth anybody's morning.
            tracing::debug!(%from, error = chain(&*error), "connection ended");
        }
    }

    async fn hold(self, tcp: TcpStream) -> Result<(), Broken> {
        tcp.set_nodelay(true)?;
        let handshake = timeout(HANDSHAKE_TIMEOUT, self.tls.accept(tcp)).await;
        let stream = handshake.map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "no TLS handshake"))??;
        let caller = match stream.get_ref().1.peer_certificates().and_then(<[_]>::first) {
            None => Caller::Anonymous,
            Some(certificate) => {
                let (cluster, caller) = caller_of(certificate)?;
                if cluster != self.cluster {
                    return Err(format!("it belongs to cluster {cluster}").into());
                }
                caller
            }
        };
        match caller {
            Caller::Server { .. } => self.of_servers.clone().run(self.converse(caller, stream)).await?,
            Caller::Agent { .. } | Caller::Anonymous => self.converse(caller, stream).await,
        }
    }

    /// Serves who is there until either side ends it.
    async fn converse(self, caller: Caller, stream: TlsStream<TcpStream>) -> Result<(), Broken> {
        let (message_max, lifetime) = bounds_of(caller);
        let desk = Desk { caller, service: self.service, closing: self.closing.clone() };
        let desk =
            WireServer::new(desk).max_decoding_message_size(message_max).max_encoding_message_size(MESSAGE_BYTES_MAX);
        let connection = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .keep_alive_interval(KEEP_ALIVE_INTERVAL)
            .keep_alive_timeout(KEEP_ALIVE_TIMEOUT)
            .initial_stream_window_size(STREAM_WINDOW_BYTES)
            .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
            .max_concurrent_streams(STREAMS_MAX)
            .max_pending_accept_reset_streams(given_up_max(caller))
            .serve_connection(TokioIo::new(stream), TowerToHyperService::new(desk));
        tokio::pin!(connection);
        let mut closing = self.closing;
        tokio::select! {
            ended = &mut connection => return Ok(ended?),
            () = closed(&mut closing) => {}
            () = expired(lifetime) => return Err("it stayed too long without a certificate".into()),
        }
        connection.as_mut().graceful_shutdown();
        Ok(connection.await?)
    }
}

/// The longest message that a caller may send, and how long it may stay.
fn bounds_of(caller: Caller) -> (usize, Option<Duration>) {
    match caller {
        Caller::Anonymous => (ANONYMOUS_MESSAGE_BYTES_MAX, Some(ANONYMOUS_CONNECTION_MAX)),
        Caller::Server { .. } | Caller::Agent { .. } => (MESSAGE_BYTES_MAX, None),
    }
}

/// How many calls a caller may give up before they are looked at; nothing stands for the library's bound.
fn given_up_max(caller: Caller) -> Option<usize> {
    match caller {
        Caller::Anonymous => None,
        Caller::Server { .. } | Caller::Agent { .. } => Some(GIVEN_UP_MAX),
    }
}

async fn expired(lifetime: Option<Duration>) {
    match lifetime {
        Some(lifetime) => sleep(lifetime).await,
        None => std::future::pending().await,
    }
}

/// Where one caller is served: the caller of a connection never changes.
struct Desk {
    caller: Caller,
    service: Arc<dyn Service>,
    closing: watch::Receiver<bool>,
}

#[tonic::async_trait]
impl Wire for Desk {
    async fn call(&self, request: Request<wire::Request>) -> Result<Response<Answer>, Status> {
        let answer = self.service.call(self.caller, request.into_inner()).await;
        Ok(Response::new(to_wire(answer)))
    }

    type OpenStream = Pin<Box<dyn Stream<Item = Result<Frame, Status>> + Send>>;

    async fn open(&self, request: Request<Streaming<Frame>>) -> Result<Response<Self::OpenStream>, Status> {
        let (sender, outgoing) = mpsc::channel(CHANNEL_FRAMES_MAX);
        let closes = |mut closing: watch::Receiver<bool>| async move { closed(&mut closing).await };
        let incoming = frames(request.into_inner()).take_until(closes(self.closing.clone()));
        let channel = Channel { sender, receiver: Frames::new(incoming) };
        let (service, caller) = (self.service.clone(), self.caller);
        tokio::spawn(async move { service.open(caller, channel).await });
        let outgoing = ReceiverStream::new(outgoing).map(Ok).take_until(closes(self.closing.clone()));
        Ok(Response::new(Box::pin(outgoing)))
    }
}

#[cfg(test)]
mod tests {
    use model::NodeId;
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_has_no_certificate_may_stay_as_long_as_the_limit_and_members_for_ever() {
        let begun = Instant::now();
        let (message_max, lifetime) = bounds_of(Caller::Anonymous);
        assert_eq!(message_max, ANONYMOUS_MESSAGE_BYTES_MAX);
        expired(lifetime).await;
        assert_eq!(begun.elapsed(), ANONYMOUS_CONNECTION_MAX);
        let node = NodeId::derive(&[b"n"]);
        let member = Caller::Agent { cluster: ClusterId::derive(&[b"c"]), node, key: [0; 32] };
        assert_eq!(bounds_of(member), (MESSAGE_BYTES_MAX, None));
    }
}
