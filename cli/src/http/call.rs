//! One request: method, path, query and body.

use std::fmt::{self, Write};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request};
use http_body_util::Full;
use proto::Secret;
use serde_json::Value;

use super::Error;

/// One request, without the address it will go to.
#[derive(Clone, Debug)]
pub struct Call {
    method: Method,
    path: String,
    query: Vec<(&'static str, String)>,
    body: Bytes,
    content_type: &'static str,
    secret: Option<(&'static str, Hidden)>,
    wait: Duration,
}

/// The value of a header that is printed nowhere.
#[derive(Clone)]
struct Hidden(Secret<String>);

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

/// A path from its segments, which may hold any characters: `path(&["v1", "job", id])`.
pub fn path(segments: &[&str]) -> String {
    segments.iter().map(|segment| format!("/{}", encode(segment))).collect()
}

impl Call {
    /// Reads.
    pub fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path, Bytes::new())
    }

    /// Changes, with a body.
    pub fn put(path: impl Into<String>, body: &Value) -> Self {
        Self::new(Method::PUT, path, body.to_string().into())
    }

    /// Changes, with bytes that are not JSON.
    pub fn put_bytes(path: impl Into<String>, body: Vec<u8>) -> Self {
        Self { content_type: "application/octet-stream", ..Self::new(Method::PUT, path, body.into()) }
    }

    /// Removes.
    pub fn delete(path: impl Into<String>) -> Self {
        Self::new(Method::DELETE, path, Bytes::new())
    }

    fn new(method: Method, path: impl Into<String>, body: Bytes) -> Self {
        let (content_type, wait) = ("application/json", Duration::ZERO);
        Self { method, path: path.into(), query: Vec::new(), body, content_type, secret: None, wait }
    }

    /// Adds a parameter.
    pub fn query(mut self, name: &'static str, value: impl ToString) -> Self {
        self.query.push((name, value.to_string()));
        self
    }

    /// Adds a header whose value is a secret.
    pub fn secret(mut self, name: &'static str, value: Secret<String>) -> Self {
        self.secret = Some((name, Hidden(value)));
        self
    }

    /// Asks the server to answer only when its index is past the given one, or after the given time.
    pub fn wait(mut self, index: u64, wait: Duration) -> Self {
        self.wait = wait;
        self.query("index", index).query("wait", format!("{}ms", wait.as_millis()))
    }

    /// How long the server may hold the answer back because it was asked to.
    pub(super) fn wait_of_server(&self) -> Duration {
        self.wait
    }

    /// Whether the call changes something, so that it must not be repeated blindly.
    pub(super) fn changes(&self) -> bool {
        self.method != Method::GET
    }

    /// The path alone.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    pub(super) fn path_and_query(&self, namespace: Option<&str>, region: Option<&str>) -> String {
        let defaults = [("namespace", namespace), ("region", region)];
        let absent = |name: &str| !self.query.iter().any(|(given, _)| *given == name);
        let added = defaults.into_iter().filter(|(name, _)| absent(name));
        let added = added.filter_map(|(name, value)| Some((name, value?)));
        let mut text = self.path.clone();
        for (name, value) in self.query.iter().map(|(name, value)| (*name, value.as_str())).chain(added) {
            text.push(if text.contains('?') { '&' } else { '?' });
            text.push_str(name);
            text.push('=');
            text.push_str(&encode(value));
        }
        text
    }

    pub(super) fn request(&self, url: &str, token: Option<&str>) -> Result<Request<Full<Bytes>>, Error> {
        let mut builder = Request::builder().method(self.method.clone()).uri(url);
        if !self.body.is_empty() {
            builder = builder.header(http::header::CONTENT_TYPE, self.content_type);
        }
        if let Some(token) = token {
            builder = builder.header("X-Nomad-Token", token);
        }
        if let Some((name, Hidden(value))) = &self.secret {
            builder = builder.header(*name, value.expose().as_str());
        }
        let wrong = |error: http::Error| Error::Address { given: url.into(), reason: error.to_string() };
        builder.body(Full::new(self.body.clone())).map_err(wrong)
    }
}

/// Percent-encoding of everything but the unreserved characters of RFC 3986.
fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => encoded.push(char::from(byte)),
            _ => {
                let _ = write!(encoded, "%{byte:02X}");
            }
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_any_characters_stay_one_segment() {
        assert_eq!(path(&["v1", "job", "a/b c?é"]), "/v1/job/a%2Fb%20c%3F%C3%A9");
    }

    #[test]
    fn namespace_and_region_are_added_unless_the_call_has_its_own() {
        let call = Call::get("/v1/jobs").query("prefix", "w&b");
        assert_eq!(call.path_and_query(Some("*"), None), "/v1/jobs?prefix=w%26b&namespace=%2A");
        let call = Call::get("/v1/jobs").query("namespace", "own");
        assert_eq!(call.path_and_query(Some("*"), Some("eu")), "/v1/jobs?namespace=own&region=eu");
    }
}
