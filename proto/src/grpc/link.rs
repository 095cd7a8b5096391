//! The one connection to one peer: made when first needed, shared by all calls, made anew after it broke.
//!
//! A call learns from here for certain that nothing was sent: as long as there is no connection, nothing can have been
//! done at the other end.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Request, Response, Uri};
use hyper::body::Incoming;
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::ClientConfig;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;
use tonic::body::Body;
use tower::Service;

use super::answer::chain;
use super::{CONNECTION_WINDOW_BYTES, KEEP_ALIVE_INTERVAL, KEEP_ALIVE_TIMEOUT, STREAM_WINDOW_BYTES};
use crate::identity::SERVER_NAME;

/// Looks at the certificates that a peer presented and says why it is not the peer that was wanted.
pub(super) type Check = Box<dyn Fn(&[CertificateDer<'_>]) -> Result<(), String> + Send + Sync>;

pub(super) struct Link {
    address: String,
    tls: Arc<ClientConfig>,
    check: Check,
    connect_timeout: Duration,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    connection: Option<Connection>,
    /// When the last attempt failed, and why: the answer for everybody who waited for it.
    failed: Option<(Instant, String)>,
}

impl Link {
    pub(super) fn new(address: String, tls: Arc<ClientConfig>, check: Check, connect_timeout: Duration) -> Self {
        Self { address, tls, check, connect_timeout, state: Mutex::default() }
    }

    /// The connection, which is made if there is none. The error says why there is none.
    pub(super) async fn connection(&self) -> Result<Connection, String> {
        let arrived = Instant::now();
        let mut state = self.state.lock().await;
        if let Some(connection) = &state.connection
            && !connection.0.is_closed()
        {
            return Ok(connection.clone());
        }
        if let Some((at, why)) = &state.failed
            && *at > arrived
        {
            return Err(why.clone());
        }
        let attempt = timeout(self.connect_timeout, self.connect()).await;
        let result = attempt.unwrap_or_else(|_| Err(format!("no connection within {:?}", self.connect_timeout)));
        state.connection = result.as_ref().ok().cloned();
        state.failed = result.as_ref().err().map(|why| (Instant::now(), why.clone()));
        result
    }

    async fn connect(&self) -> Result<Connection, String> {
        let tcp = TcpStream::connect(&self.address).await.map_err(|error| error.to_string())?;
        tcp.set_nodelay(true).map_err(|error| error.to_string())?;
        let name = ServerName::try_from(SERVER_NAME).expect("it is a DNS name");
        let tls = TlsConnector::from(self.tls.clone()).connect(name, tcp).await.map_err(|error| chain(&error))?;
        (self.check)(tls.get_ref().1.peer_certificates().unwrap_or_default())?;
        let (sender, connection) = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .keep_alive_interval(KEEP_ALIVE_INTERVAL)
            .keep_alive_timeout(KEEP_ALIVE_TIMEOUT)
            .keep_alive_while_idle(true)
            .initial_stream_window_size(STREAM_WINDOW_BYTES)
            .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
            .handshake(TokioIo::new(tls))
            .await
            .map_err(|error| chain(&error))?;
        // It ends by itself when the last sender and the last stream are gone, or the other end is.
        tokio::spawn(connection);
        Ok(Connection(sender))
    }
}

/// A handle on an established connection, as the generated client wants it.
#[derive(Clone)]
pub(super) struct Connection(SendRequest<Body>);

impl Connection {
    /// What requests on it name as their destination; the connection is already there, so nobody looks it up.
    pub(super) fn origin() -> Uri {
        Uri::from_static("https://server.sched")
    }
}

impl Service<Request<Body>> for Connection {
    type Response = Response<Incoming>;
    type Error = hyper::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), hyper::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        Box::pin(self.0.send_request(request))
    }
}
