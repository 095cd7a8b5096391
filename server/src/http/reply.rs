//! Answers: JSON, with the headers by which clients know how fresh it is.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::Stream;
use http::{HeaderName, HeaderValue, header};
use model::Index;
use serde::Serialize;

use super::call::Call;
use super::failure::Failure;
use super::read::Content;

const INDEX: HeaderName = HeaderName::from_static("x-nomad-index");
const LAST_CONTACT: HeaderName = HeaderName::from_static("x-nomad-lastcontact");
const KNOWN_LEADER: HeaderName = HeaderName::from_static("x-nomad-knownleader");
const NEXT_TOKEN: HeaderName = HeaderName::from_static("x-nomad-nexttoken");

/// How old an answer may be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Freshness {
    /// Since the server last heard of a leader.
    pub(super) last_contact: Duration,
    /// Whether there is one.
    pub(super) known_leader: bool,
}

/// `value` as JSON, indented if the request says `pretty`.
pub(super) fn json_bytes(call: &Call, value: &impl Serialize) -> Result<Vec<u8>, Failure> {
    let pretty = call.query.flag("pretty")?;
    let bytes = if pretty { serde_json::to_vec_pretty(value) } else { serde_json::to_vec(value) };
    bytes.map_err(|error| Failure::internal(format!("the answer can't be written as JSON: {error}")))
}

/// An answer without an index of its own.
pub(super) fn json(call: &Call, value: &impl Serialize) -> Result<Response, Failure> {
    Ok(of_type("application/json", json_bytes(call, value)?))
}

/// The answer to a change, with the index at which it was applied.
pub(super) fn changed(call: &Call, index: Index, value: &impl Serialize) -> Result<Response, Failure> {
    let mut response = json(call, value)?;
    response.headers_mut().insert(INDEX, index.into());
    Ok(response)
}

/// The answer to a read.
pub(super) fn read_reply(content: Content, index: Index, freshness: Freshness) -> Response {
    let mut response = of_type("application/json", content.json);
    let headers = response.headers_mut();
    headers.insert(INDEX, index.into());
    let milliseconds = u64::try_from(freshness.last_contact.as_millis()).unwrap_or(u64::MAX);
    headers.insert(LAST_CONTACT, milliseconds.into());
    headers.insert(KNOWN_LEADER, HeaderValue::from_static(if freshness.known_leader { "true" } else { "false" }));
    if let Some(token) = content.next_token.and_then(|token| HeaderValue::from_str(&token).ok()) {
        headers.insert(NEXT_TOKEN, token);
    }
    response
}

/// Bytes of a content type.
pub(super) fn of_type(content_type: &'static str, bytes: impl Into<Body>) -> Response {
    ([(header::CONTENT_TYPE, content_type)], bytes.into()).into_response()
}

/// A body that arrives piece by piece.
pub(super) fn stream(content_type: &'static str, pieces: impl Stream<Item = Bytes> + Send + 'static) -> Response {
    use futures::StreamExt;
    of_type(content_type, Body::from_stream(pieces.map(Ok::<_, Infallible>)))
}
