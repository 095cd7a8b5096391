//! HTTP as the tests need it: one request per connection, whole answers, and bytes that no decent client would send.
//! It knows no redirects and no chunks: it speaks HTTP/1.0, whose answers end with the connection.

use std::io::{Error, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

const CONNECT_WITHIN: Duration = Duration::from_secs(2);
const ANSWER_WITHIN: Duration = Duration::from_secs(15);

/// An answer.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The header lines, in lower case.
    pub head: String,
    /// The body.
    pub body: Vec<u8>,
}

impl Reply {
    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON; null if it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// A header as a number.
    pub fn number(&self, header: &str) -> Option<u64> {
        let line = self.head.lines().find_map(|line| line.strip_prefix(&format!("{}:", header.to_lowercase())))?;
        line.trim().parse().ok()
    }
}

/// Sends one request and reads the answer to its end.
pub fn send(to: SocketAddr, method: &str, path: &str, body: &[u8]) -> std::io::Result<Reply> {
    let head = format!("{method} {path} HTTP/1.0\r\nHost: {to}\r\nContent-Length: {}\r\n\r\n", body.len());
    raw(to, &[head.as_bytes(), body].concat(), Ending::KeepOpen)
}

/// Sends one request as to `localhost`, and gives it all in all `within`. An error of the kind [`AskError::NotSent`] means that the
/// server has not got it.
pub fn ask(to: SocketAddr, method: &str, path: &str, body: &[u8], within: Duration) -> Result<Reply, AskError> {
    let deadline = Instant::now() + within;
    let left = || Some(deadline.saturating_duration_since(Instant::now())).filter(|left| !left.is_zero());
    let mut stream = TcpStream::connect_timeout(&to, CONNECT_WITHIN.min(within)).map_err(AskError::NotSent)?;
    let head = format!("{method} {path} HTTP/1.0\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n", body.len());
    let mut exchange = || {
        stream.set_write_timeout(left())?;
        stream.write_all(&[head.as_bytes(), body].concat())?;
        let mut answer = Vec::new();
        let mut part = [0; 16 << 10];
        loop {
            let left = left().ok_or_else(|| Error::new(ErrorKind::TimedOut, format!("no answer within {within:?}")))?;
            stream.set_read_timeout(Some(left))?;
            match stream.read(&mut part)? {
                0 => return Ok(answer),
                bytes => answer.extend_from_slice(&part[..bytes]),
            }
        }
    };
    let answer = exchange().map_err(AskError::NoAnswer)?;
    let broken = || Error::new(ErrorKind::InvalidData, format!("no answer in {} bytes", answer.len()));
    whole(&answer).ok_or_else(|| AskError::NoAnswer(broken()))
}

/// Why there is no answer.
#[derive(Debug)]
pub enum AskError {
    /// There was no connection: the request was not made.
    NotSent(Error),
    /// Whether the request had an effect is unknown.
    NoAnswer(Error),
}

/// An answer whose body is as long as it says: a server that dies while it answers must not be misunderstood.
fn whole(answer: &[u8]) -> Option<Reply> {
    let reply = parse(answer)?;
    let is_whole = reply.number("content-length").is_none_or(|bytes| bytes == reply.body.len() as u64);
    is_whole.then_some(reply)
}

/// What happens to the sending half once the bytes are out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It stays open.
    KeepOpen,
    /// It is closed: whatever is missing never comes.
    CutOff,
}

/// Sends bytes as they are and reads the answer to its end.
pub fn raw(to: SocketAddr, bytes: &[u8], ending: Ending) -> std::io::Result<Reply> {
    let mut stream = TcpStream::connect_timeout(&to, CONNECT_WITHIN)?;
    stream.set_read_timeout(Some(ANSWER_WITHIN))?;
    stream.set_write_timeout(Some(ANSWER_WITHIN))?;
    // A server may refuse a long body by its length alone and close; its answer is there to be read nevertheless.
    let sent = stream.write_all(bytes);
    if ending == Ending::CutOff {
        stream.shutdown(Shutdown::Write)?;
    }
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Err(error) if answer.is_empty() => return Err(sent.err().unwrap_or(error)),
        _ => {}
    }
    parse(&answer).ok_or_else(|| Error::new(ErrorKind::InvalidData, format!("no answer in {} bytes", answer.len())))
}

fn parse(answer: &[u8]) -> Option<Reply> {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&answer[..end]).to_lowercase();
    let status = head.split_whitespace().nth(1)?.parse().ok()?;
    Some(Reply { status, head, body: answer[end + 4..].to_vec() })
}
