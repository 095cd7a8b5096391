//! The client: HTTP/1.1 on connections that stay open, and blocking queries.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long one answer may take, waits of blocking queries included.
const ANSWER_WITHIN: Duration = Duration::from_secs(90);
/// How long a blocking query waits at most.
const WAIT_SECONDS: u32 = 60;

/// A connection to one server.
pub struct Client {
    address: SocketAddr,
    sender: SendRequest<Full<Bytes>>,
}

/// An answer.
pub struct Reply {
    /// The index of what was asked for.
    pub index: u64,
    /// The body.
    pub json: Value,
}

impl Client {
    /// Connects.
    pub async fn connect(address: SocketAddr) -> Result<Self, String> {
        let failed = |error: &dyn std::fmt::Display| format!("{address}: {error}");
        let stream = TcpStream::connect(address).await.map_err(|error| failed(&error))?;
        stream.set_nodelay(true).map_err(|error| failed(&error))?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(|error| failed(&error))?;
        tokio::spawn(async move {
            // What is wrong with the connection is told to whoever asks on it.
            let _ = connection.await;
        });
        Ok(Self { address, sender })
    }

    /// Where it leads.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Asks for what is under `path`.
    pub async fn get(&mut self, path: &str) -> Result<Reply, String> {
        self.send("GET", path, Bytes::new()).await
    }

    /// Asks for what is under `path`, once it is newer than `index`.
    pub async fn get_after(&mut self, path: &str, index: u64) -> Result<Reply, String> {
        self.get(&format!("{path}?index={index}&wait={WAIT_SECONDS}s")).await
    }

    /// Changes what is under `path`.
    pub async fn put(&mut self, path: &str, body: Bytes) -> Result<Reply, String> {
        self.send("PUT", path, body).await
    }

    async fn send(&mut self, method: &str, path: &str, body: Bytes) -> Result<Reply, String> {
        let what = format!("{method} {}{path}", self.address);
        let request = hyper::Request::builder()
            .method(method)
            .uri(path)
            .header("host", self.address.to_string())
            .body(Full::new(body))
            .map_err(|error| format!("{what}: {error}"))?;
        let answered = async {
            self.sender.ready().await.map_err(|error| error.to_string())?;
            let response = self.sender.send_request(request).await.map_err(|error| error.to_string())?;
            let (head, body) = response.into_parts();
            let body = body.collect().await.map_err(|error| error.to_string())?.to_bytes();
            if !head.status.is_success() {
                return Err(format!("{}: {}", head.status, String::from_utf8_lossy(&body)));
            }
            let index = head.headers.get("x-nomad-index").and_then(|index| index.to_str().ok()?.parse().ok());
            let json = serde_json::from_slice(&body).map_err(|error| error.to_string())?;
            Ok(Reply { index: index.unwrap_or(0), json })
        };
        match timeout(ANSWER_WITHIN, answered).await {
            Ok(answer) => answer.map_err(|error| format!("{what}: {error}")),
            Err(_) => Err(format!("{what}: no answer within {ANSWER_WITHIN:?}")),
        }
    }
}
