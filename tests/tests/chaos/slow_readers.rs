//! Bar R8, the other half: readers of the event stream that do not read are cut off, are told why, and cost the server
//! no memory. A server that serves them is compared with one that does not.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::Value;
use tests::chaos::cluster::Cluster;
use tests::chaos::writer;
use tests::e2e::http;
use tests::{bar, machine};

const SERVERS: usize = 3;
const READERS: usize = 20;
/// Writes that nobody reads of: more than a server remembers for readers, and than the kernel buffers on the way.
const WRITES: usize = 4_000;
/// Who writes them, each a job of its own.
const WRITERS: usize = 16;
/// How much more memory the server may take than one without such readers.
const MORE_MEMORY_MAX_MB: u64 = 64;
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

#[test]
fn readers_that_do_not_read_are_cut_off_and_cost_nothing() {
    let _machine = machine::alone();
    let cluster = Cluster::start("readers", SERVERS);
    let leader = cluster.await_leader();
    let followers: Vec<&str> = cluster.servers().iter().copied().filter(|server| *server != leader).collect();
    let [loaded, control] = followers[..] else { panic!("two follow: {followers:?}") };
    let before = [loaded, control].map(|server| cluster.memory_mb(server));
    let readers: Vec<TcpStream> = (0..READERS).map(|_| open(cluster.http(loaded))).collect();
    write_all(cluster.http(leader));
    let after = [loaded, control].map(|server| cluster.memory_mb(server));
    let grown = |at: usize| after[at].saturating_sub(before[at]);
    let more = grown(0).saturating_sub(grown(1));
    let told: Vec<String> = readers.into_iter().map(last_line).collect();
    let cut_off = told.iter().filter(|line| line.contains("is too old")).count();
    bar::report(
        "R8",
        &format!(
            "{READERS} readers of {WRITES} writes that do not read: {cut_off} were cut off and told so; the server took \
             {more} MiB more than one without them"
        ),
    );
    assert_eq!(cut_off, READERS, "the last lines: {told:#?}");
    assert!(more <= MORE_MEMORY_MAX_MB, "{more} MiB more, at most {MORE_MEMORY_MAX_MB}");
}

fn open(server: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(server).expect("the server takes connections");
    stream.set_read_timeout(Some(ANSWER_WITHIN)).expect("a time-out can be set");
    stream.write_all(b"GET /v1/event/stream HTTP/1.0\r\nHost: localhost\r\n\r\n").expect("the request is taken");
    stream
}

/// Registers new versions of a few jobs.
fn write_all(server: SocketAddr) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let next = &next;
            scope.spawn(move || {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= WRITES {
                        return;
                    }
                    let mut document: Value =
                        serde_json::from_str(&writer::document(writer)).expect("the document is JSON");
                    document["Job"]["Meta"] = serde_json::json!({ "number": number.to_string() });
                    let body = document.to_string();
                    let reply = http::ask(server, "PUT", "/v1/jobs", body.as_bytes(), ANSWER_WITHIN);
                    let reply = reply.unwrap_or_else(|error| panic!("write {number}: {error:?}"));
                    assert_eq!(reply.status, 200, "write {number}: {}", reply.text());
                }
            });
        }
    });
}

/// Reads what is left of a stream, and gives its last line.
fn last_line(stream: TcpStream) -> String {
    let lines = BufReader::new(stream).lines();
    lines.map_while(Result::ok).last().unwrap_or_default()
}
