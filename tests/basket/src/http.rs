//! HTTP/1.1 by hand, as little as the service needs: the head of a request, an answer, and the address of a probe.
//! No bodies of requests, no keep-alive. Called by `serve`, `routes` and `probe`.

use std::io::{ErrorKind, Read, Write};

/// The longest head of a request or answer, in bytes; a longer one is refused.
pub const HEAD_BYTES_MAX: usize = 8 * 1024;

/// The first line of a request, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub struct Request {
    /// `GET`, `POST`, …
    pub method: String,
    /// The path without its query, as sent.
    pub path: String,
    query: String,
}

impl Request {
    /// Reads a head (everything before the empty line). `None`: this is not HTTP/1.
    pub fn parse(head: &str) -> Option<Self> {
        let mut words = head.lines().next()?.split(' ');
        let (method, target, version) = (words.next()?, words.next()?, words.next()?);
        let is_token = !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_uppercase());
        if words.next().is_some() || !is_token || !target.starts_with('/') || !version.starts_with("HTTP/1.") {
            return None;
        }
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Some(Self { method: method.into(), path: path.into(), query: query.into() })
    }

    /// The number that the query gives for `name`: absent, a number, or what stands there instead.
    pub fn number(&self, name: &str) -> Result<Option<u32>, String> {
        let value = self.query.split('&').filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name);
        match value {
            None => Ok(None),
            Some((_, text)) => text.parse().map(Some).map_err(|_| format!("{name}={text:?} is not a number")),
        }
    }
}

/// What a request is answered with.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The whole body.
    pub body: String,
}

impl Answer {
    /// An answer whose body ends with a newline, for the sake of `curl`.
    pub fn new(status: u16, body: impl Into<String>) -> Self {
        Self { status, body: format!("{}\n", body.into()) }
    }

    /// Writes the answer and says that the connection ends with it.
    pub fn send(&self, connection: &mut impl Write) -> std::io::Result<()> {
        let reason = match self.status {
            200 => "OK",
            400 => "Bad Request",
            404 => "Not Found",
            405 => "Method Not Allowed",
            503 => "Service Unavailable",
            _ => "Unknown",
        };
        let kind = if self.body.starts_with('{') { "application/json" } else { "text/plain; charset=utf-8" };
        let (status, length, body) = (self.status, self.body.len(), &self.body);
        write!(
            connection,
            "HTTP/1.1 {status} {reason}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        )?;
        connection.flush()
    }
}

/// Reads up to the empty line that ends a head. An error when the other side closes first or sends too much.
pub fn read_head(connection: &mut impl Read) -> std::io::Result<String> {
    let mut head = Vec::new();
    let mut chunk = [0; 1024];
    while !head.windows(4).any(|window| window == b"\r\n\r\n") {
        if head.len() > HEAD_BYTES_MAX {
            return Err(std::io::Error::new(ErrorKind::InvalidData, "the head is too long"));
        }
        match connection.read(&mut chunk)? {
            0 => return Err(ErrorKind::UnexpectedEof.into()),
            length => head.extend_from_slice(&chunk[..length]),
        }
    }
    String::from_utf8(head).map_err(|_| std::io::Error::new(ErrorKind::InvalidData, "the head is not UTF-8"))
}

/// Where a probe goes: a plain `http://` address, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub struct Target {
    /// Host and port, as `TcpStream::connect` takes them and the `Host` header shows them.
    pub authority: String,
    /// Path and query, at least `/`.
    pub path: String,
}

impl Target {
    /// Reads `http://host[:port][/path]`; the error is a sentence for the user.
    pub fn parse(url: &str) -> Result<Self, String> {
        let rest = url.strip_prefix("http://").ok_or_else(|| format!("{url:?} does not begin with http://"))?;
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        if authority.is_empty() {
            return Err(format!("{url:?} names no host"));
        }
        let has_port = authority.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        let authority = if has_port { authority.into() } else { format!("{authority}:80") };
        Ok(Self { authority, path: if path.is_empty() { "/".into() } else { path.into() } })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_line_is_taken_apart() {
        let request = Request::parse("GET /leak?mb=64&x=1 HTTP/1.1\r\nHost: a\r\n\r\n").expect("a good request");
        assert_eq!((request.method.as_str(), request.path.as_str()), ("GET", "/leak"));
        assert_eq!(request.number("mb"), Ok(Some(64)));
        assert_eq!(request.number("code"), Ok(None));
    }

    #[test]
    fn a_number_that_is_none_is_named() {
        let request = Request::parse("GET /leak?mb=many HTTP/1.1\r\n\r\n").expect("a good request");
        assert_eq!(request.number("mb"), Err("mb=\"many\" is not a number".into()));
    }

    #[test]
    fn what_is_not_http_is_refused() {
        for head in ["", "GET", "GET /", "GET / SMTP/1.0", "get / HTTP/1.1", "GET x HTTP/1.1", "GET / HTTP/1.1 more"] {
            assert_eq!(Request::parse(head), None, "{head:?}");
        }
    }

    #[test]
    fn a_head_ends_at_the_empty_line_and_not_before() {
        let whole = b"GET / HTTP/1.1\r\n\r\n";
        assert!(read_head(&mut &whole[..]).is_ok());
        let cut = read_head(&mut &whole[..10]).expect_err("cut off");
        assert_eq!(cut.kind(), ErrorKind::UnexpectedEof);
    }

    #[test]
    fn a_head_may_be_as_long_as_the_limit_and_no_longer() {
        let head = |length: usize| [vec![b'a'; length - 4], b"\r\n\r\n".to_vec()].concat();
        assert!(read_head(&mut &head(HEAD_BYTES_MAX)[..]).is_ok());
        let error = read_head(&mut &head(HEAD_BYTES_MAX + 2048)[..]).expect_err("too long");
        assert_eq!(error.kind(), ErrorKind::InvalidData);
    }

    #[test]
    fn an_answer_says_its_length_and_kind() {
        let mut out = Vec::new();
        Answer::new(200, "{}").send(&mut out).expect("memory does not fail");
        let text = String::from_utf8(out).expect("text");
        assert!(
            text.starts_with("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 3\r\n"),
            "{text}"
        );
        assert!(text.ends_with("\r\n\r\n{}\n"), "{text}");
    }

    #[test]
    fn a_target_gets_its_port_and_path() {
        let target = |url| Target::parse(url).map(|target| (target.authority, target.path));
        assert_eq!(target("http://a"), Ok(("a:80".into(), "/".into())));
        assert_eq!(target("http://127.0.0.1:8080/x?y"), Ok(("127.0.0.1:8080".into(), "/x?y".into())));
        assert!(target("http://").is_err());
        assert!(target("ftp://a").is_err());
    }
}
