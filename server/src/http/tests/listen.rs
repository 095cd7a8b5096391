//! The connection loop, over real sockets.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use model::testing::job;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use crate::http::limits::{HEADER_READ_MAX, SHUTDOWN_GRACE};
use crate::http::testing::Twin;
use crate::http::{BindError, serve};

/// Longer than anything here takes; a test that waits so long has failed.
const PATIENCE: Duration = Duration::from_secs(20);
/// How exactly timers fire on a clock that stands still between them.
const INSTANT: Duration = Duration::from_millis(10);

async fn listen(twin: &Arc<Twin>) -> (SocketAddr, JoinHandle<Result<(), BindError>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (address, tokio::spawn(serve(listener, twin.clone(), Twin::config(), twin.shutdown.clone())))
}

async fn ask(address: SocketAddr, request: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

/// Reads until `words` have come.
async fn read_until(stream: &mut TcpStream, words: &str) -> String {
    let mut read = Vec::new();
    let reading = async {
        while !String::from_utf8_lossy(&read).contains(words) {
            assert_ne!(stream.read_buf(&mut read).await.unwrap(), 0, "{}", String::from_utf8_lossy(&read));
        }
    };
    timeout(PATIENCE, reading).await.unwrap();
    String::from_utf8_lossy(&read).into_owned()
}

#[tokio::test]
async fn queries_block_streams_flow_and_both_end_when_the_server_does() {
    let twin = Twin::new();
    let (address, serving) = listen(&twin).await;
    let index = twin.state().indexes().jobs.max(1);
    let get = |path: String| format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n");
    let mut events = ask(address, &get("/v1/event/stream?topic=Job".into())).await;
    read_until(&mut events, "{}\n").await;
    let mut blocked = ask(address, &get(format!("/v1/jobs?index={index}"))).await;
    twin.register(job("web"));
    let answer = read_until(&mut blocked, "\"ID\":\"web\"").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    read_until(&mut events, "\"Type\":\"JobRegistered\"").await;
    let mut waiting = ask(address, &get("/v1/nodes?index=1000000".into())).await;
    twin.shutdown.cancel();
    timeout(PATIENCE, serving).await.unwrap().unwrap().unwrap();
    // Whether it was taken up before the end or not, the connection is over.
    timeout(PATIENCE, waiting.read_to_end(&mut Vec::new())).await.unwrap().ok();
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn a_body_that_the_client_cuts_off_changes_nothing() {
    let twin = Twin::new();
    let (address, _serving) = listen(&twin).await;
    let request = format!("PUT /v1/jobs HTTP/1.1\r\nHost: {address}\r\nContent-Length: 1000\r\n\r\n{{\"Job\": {{");
    let mut stream = ask(address, &request).await;
    stream.shutdown().await.unwrap();
    let mut read = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut read)).await.unwrap().unwrap();
    let text = String::from_utf8_lossy(&read);
    assert!(text.is_empty() || text.starts_with("HTTP/1.1 400"), "{text}");
    assert_eq!(twin.state().jobs().count(), 0);
    twin.shutdown.cancel();
}

#[tokio::test(start_paused = true)]
async fn a_slow_head_does_not_hold_a_connection() {
    let twin = Twin::new();
    let (address, _serving) = listen(&twin).await;
    let begun = Instant::now();
    let mut stream = ask(address, "GET /v1/jobs HTTP/1.1\r\nHost: ").await;
    let mut read = Vec::new();
    stream.read_to_end(&mut read).await.unwrap();
    let text = String::from_utf8_lossy(&read);
    assert!(text.is_empty() || text.starts_with("HTTP/1.1 408"), "{text}");
    let held = begun.elapsed();
    assert!(held >= HEADER_READ_MAX && held < HEADER_READ_MAX + INSTANT, "{held:?}");
    twin.shutdown.cancel();
}

#[tokio::test]
async fn what_is_under_way_at_the_end_has_its_grace_and_no_more() {
    let twin = Twin::new();
    let (address, serving) = listen(&twin).await;
    let head = format!("PUT /v1/jobs HTTP/1.1\r\nHost: {address}\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n");
    let mut stream = ask(address, &head).await;
    read_until(&mut stream, "100 Continue").await;
    // From here on nothing happens on the socket, so that only timers pass.
    tokio::time::pause();
    let begun = Instant::now();
    twin.shutdown.cancel();
    serving.await.unwrap().unwrap();
    let held = begun.elapsed();
    assert!(held >= SHUTDOWN_GRACE && held < SHUTDOWN_GRACE + INSTANT, "{held:?}");
}
