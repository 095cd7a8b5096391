//! Probing one check over the network: a connection, or a request whose status is judged.
//!
//! No redirect is followed and no proxy asked. What an answer means for the instance is decided in the core.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use client_agent_core::{CHECK_OUTPUT_BYTES_MAX, Probed};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// What is probed, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// `host:port`.
    pub address: String,
    /// When it counts as failed.
    pub timeout: Duration,
    /// How.
    pub kind: ProbeKind,
}

/// How a check is probed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProbeKind {
    /// A connection suffices.
    Tcp,
    /// A request whose status must be from 200 to 399.
    Http {
        /// The method.
        method: String,
        /// Path and query.
        path: String,
        /// Headers.
        headers: BTreeMap<String, Vec<String>>,
        /// The request's body.
        body: String,
    },
    /// It can't be probed, for this reason.
    Impossible(String),
}

/// Probes once.
pub async fn probe(probe: &Probe) -> Probed {
    match tokio::time::timeout(probe.timeout, attempt(probe)).await {
        Ok(Ok(output)) => Probed { passed: true, output },
        Ok(Err(output)) => Probed { passed: false, output },
        Err(_) => Probed { passed: false, output: format!("no answer from {} in {:?}", probe.address, probe.timeout) },
    }
}

async fn attempt(probe: &Probe) -> Result<String, String> {
    let (method, path, headers, body) = match &probe.kind {
        ProbeKind::Impossible(reason) => return Err(reason.clone()),
        ProbeKind::Tcp => {
            connect(&probe.address).await?;
            return Ok(format!("connected to {}", probe.address));
        }
        ProbeKind::Http { method, path, headers, body } => (method, path, headers, body),
    };
    let stream = connect(&probe.address).await?;
    let failed = |error: hyper::Error| format!("request to {} failed: {error}", probe.address);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(failed)?;
    let mut request = http::Request::builder().method(method.as_str()).uri(path.as_str());
    if !headers.keys().any(|name| name.eq_ignore_ascii_case("host")) {
        request = request.header("host", &probe.address);
    }
    for (name, values) in headers {
        for value in values {
            request = request.header(name, value);
        }
    }
    let request =
        request.body(Full::new(Bytes::from(body.clone()))).map_err(|error| format!("bad request: {error}"))?;
    // The connection works only while it is polled, so both run side by side until the answer is read.
    let exchange = async {
        let mut response = sender.send_request(request).await.map_err(failed)?;
        let status = response.status();
        let mut text = Vec::new();
        while text.len() < CHECK_OUTPUT_BYTES_MAX
            && let Some(Ok(frame)) = response.body_mut().frame().await
        {
            text.extend_from_slice(frame.data_ref().map_or(&[][..], |data| data));
        }
        let answer = format!("HTTP {status}: {}", String::from_utf8_lossy(&text).trim_end());
        if (200..400).contains(&status.as_u16()) { Ok(answer) } else { Err(answer) }
    };
    tokio::pin!(connection);
    tokio::pin!(exchange);
    let mut open = true;
    loop {
        tokio::select! {
            biased;
            answer = &mut exchange => return answer,
            _ = &mut connection, if open => open = false,
        }
    }
}

async fn connect(address: &str) -> Result<TcpStream, String> {
    TcpStream::connect(address).await.map_err(|error| format!("connection to {address} failed: {error}"))
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    /// A server that answers one connection with `answer` (nothing if empty) and gives back what it was asked.
    async fn serve(answer: &'static str) -> (String, tokio::task::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let asked = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut buffer = vec![0; 4096];
            let length = stream.read(&mut buffer).await.unwrap();
            stream.write_all(answer.as_bytes()).await.unwrap();
            if answer.is_empty() {
                std::future::pending::<()>().await;
            }
            String::from_utf8_lossy(&buffer[..length]).into_owned()
        });
        (address, asked)
    }

    fn http(address: &str) -> Probe {
        let headers = BTreeMap::from([("X-Probe".to_string(), vec!["1".to_string()])]);
        let kind = ProbeKind::Http { method: "POST".into(), path: "/health?x=1".into(), headers, body: "ping".into() };
        Probe { address: address.into(), timeout: Duration::from_millis(500), kind }
    }

    #[tokio::test]
    async fn a_request_carries_what_the_check_says_and_its_answer_is_kept() {
        let (address, asked) = serve("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
        assert_eq!(probe(&http(&address)).await, Probed { passed: true, output: "HTTP 200 OK: ok".into() });
        let asked = asked.await.unwrap().to_lowercase();
        assert!(asked.starts_with("post /health?x=1 http/1.1"), "{asked}");
        assert!(asked.contains("x-probe: 1") && asked.contains(&format!("host: {address}")) && asked.ends_with("ping"));
    }

    #[tokio::test]
    async fn a_redirect_passes_unfollowed_and_an_error_fails() {
        let moved = "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:9/\r\ncontent-length: 0\r\n\r\n";
        assert!(probe(&http(&serve(moved).await.0)).await.passed);
        let gone = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 3\r\n\r\nbad";
        let probed = probe(&http(&serve(gone).await.0)).await;
        assert_eq!(probed, Probed { passed: false, output: "HTTP 503 Service Unavailable: bad".into() });
    }

    #[tokio::test]
    async fn silence_and_a_closed_port_fail() {
        let (address, _asked) = serve("").await;
        assert_eq!(probe(&http(&address)).await.output, format!("no answer from {address} in 500ms"));
        let closed = Probe { address: "127.0.0.1:9".into(), timeout: Duration::from_secs(1), kind: ProbeKind::Tcp };
        assert!(!probe(&closed).await.passed);
    }
}
