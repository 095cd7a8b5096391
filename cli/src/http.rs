//! The one way from a command to a server: HTTP with a list of addresses, tried in turn.
//!
//! A call goes on to the next address when no connection comes about or when the server knows no leader, in which cases
//! nothing was done. It is not repeated when a connection breaks in the middle of a change. Knows nothing of jobs or
//! nodes; [`crate::api`] gives the answers their types.

mod address;
mod call;
mod error;

use std::cell::Cell;
use std::time::Duration;

use bytes::Bytes;
use http::{Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::Instant;

pub use address::Address;
pub use call::{Call, path};
pub use error::Error;

/// How long one address may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// How long to go on asking servers that know no leader; an election takes less than a second.
const NO_LEADER_PATIENCE: Duration = Duration::from_secs(3);
/// Pause between rounds over the addresses while there is no leader.
const NO_LEADER_PAUSE: Duration = Duration::from_millis(200);
/// Largest answer that is kept in memory.
const BODY_BYTES_MAX: usize = 256 * 1024 * 1024;

/// A connection to the servers of one cluster.
#[derive(Debug)]
pub struct Client {
    addresses: Vec<Address>,
    /// Where the last call succeeded, so that the next one begins there.
    current: Cell<usize>,
    namespace: Option<String>,
    region: Option<String>,
    token: Option<String>,
    timeout: Duration,
    transport: legacy::Client<HttpConnector, Full<Bytes>>,
}

/// A decoded answer and the index of state that it belongs to.
#[derive(Debug)]
pub struct Answer {
    /// The JSON as it came.
    pub value: Value,
    /// From X-Nomad-Index; 0 where the answer has none.
    pub index: u64,
}

impl Client {
    /// A client for a comma-separated list of addresses.
    pub fn new(addresses: &str) -> Result<Self, Error> {
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        connector.set_nodelay(true);
        Ok(Self {
            addresses: address::parse_list(addresses)?,
            current: Cell::new(0),
            namespace: None,
            region: None,
            token: None,
            timeout: Duration::from_secs(30),
            transport: legacy::Client::builder(TokioExecutor::new()).build(connector),
        })
    }

    /// Sends this namespace with each call that names none.
    pub fn with_namespace(self, namespace: Option<String>) -> Self {
        Self { namespace, ..self }
    }

    /// Sends this region with each call.
    pub fn with_region(self, region: Option<String>) -> Self {
        Self { region, ..self }
    }

    /// Sends this token with each call.
    pub fn with_token(self, token: Option<String>) -> Self {
        Self { token, ..self }
    }

    /// Waits this long for each answer.
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// The namespace that was asked for.
    pub fn namespace(&self) -> Option<&str> {
        self.namespace.as_deref()
    }

    /// Calls and returns the answer's JSON. An empty answer is null.
    pub async fn call(&self, call: Call) -> Result<Answer, Error> {
        let deadline = Instant::now() + call.wait_of_server() + self.timeout;
        let (url, response) = self.send(&call, deadline).await?;
        let index = response.headers().get("X-Nomad-Index").and_then(|value| value.to_str().ok()?.parse().ok());
        let body = self.collect(&call, &url, response, deadline).await?;
        if body.is_empty() {
            return Ok(Answer { value: Value::Null, index: index.unwrap_or(0) });
        }
        let value =
            serde_json::from_slice(&body).map_err(|error| Error::Nonsense { url, reason: error.to_string() })?;
        Ok(Answer { value, index: index.unwrap_or(0) })
    }

    /// Calls and returns the answer in the given type; null fields count as absent.
    pub async fn read<T: DeserializeOwned>(&self, call: Call) -> Result<T, Error> {
        let path = call.path().to_owned();
        let answer = self.call(call).await?;
        typed(&answer.value).map_err(|error| Error::Nonsense { url: path, reason: error.to_string() })
    }

    /// Calls, and returns the answer as it arrives; only its beginning has a deadline.
    pub async fn stream(&self, call: Call) -> Result<Incoming, Error> {
        let (_, response) = self.send(&call, Instant::now() + self.timeout).await?;
        Ok(response.into_body())
    }

    /// Goes over the addresses until one has an answer, for a while longer if they only lack a leader.
    async fn send(&self, call: &Call, deadline: Instant) -> Result<(String, Response<Incoming>), Error> {
        let patience = (Instant::now() + NO_LEADER_PATIENCE).min(deadline);
        loop {
            let mut unreachable = Vec::new();
            let mut leaderless = Vec::new();
            for attempt in 0..self.addresses.len() {
                let position = (self.current.get() + attempt) % self.addresses.len();
                let address = &self.addresses[position];
                match self.send_to(address, call, deadline).await {
                    Ok(answer) => {
                        self.current.set(position);
                        return Ok(answer);
                    }
                    Err(Error::Unreachable { tried }) => unreachable.extend(tried),
                    Err(Error::NoLeader { tried }) => leaderless.extend(tried),
                    // A read that broke off is repeated elsewhere; a change is not.
                    Err(Error::Broken { url, reason, changes: false }) => unreachable.push((url, reason)),
                    Err(error) => return Err(error),
                }
            }
            if leaderless.is_empty() {
                return Err(Error::Unreachable { tried: unreachable });
            }
            if Instant::now() + NO_LEADER_PAUSE >= patience {
                return Err(Error::NoLeader { tried: leaderless });
            }
            tokio::time::sleep(NO_LEADER_PAUSE).await;
        }
    }

    async fn send_to(
        &self,
        address: &Address,
        call: &Call,
        deadline: Instant,
    ) -> Result<(String, Response<Incoming>), Error> {
        let url = address.url(call, self.namespace.as_deref(), self.region.as_deref());
        let request = call.request(&url, self.token.as_deref())?;
        let changes = call.changes();
        let timed_out = |_| Error::TimedOut { url: url.clone(), after: self.timeout, changes };
        let sent = tokio::time::timeout_at(deadline, self.transport.request(request)).await.map_err(timed_out)?;
        let response = sent.map_err(|error| match error.is_connect() {
            true => Error::Unreachable { tried: vec![(address.to_string(), error::innermost(&error))] },
            false => Error::Broken { url: url.clone(), reason: error::innermost(&error), changes },
        })?;
        let status = response.status();
        if status.is_success() {
            return Ok((url, response));
        }
        let body = self.collect(call, &url, response, deadline).await?;
        let body = String::from_utf8_lossy(&body).into_owned();
        if status == StatusCode::INTERNAL_SERVER_ERROR && body.to_ascii_lowercase().contains("no leader") {
            return Err(Error::NoLeader { tried: vec![address.to_string()] });
        }
        Err(Error::Refused { status, url, body })
    }

    async fn collect(
        &self,
        call: &Call,
        url: &str,
        response: Response<Incoming>,
        deadline: Instant,
    ) -> Result<Bytes, Error> {
        let changes = call.changes();
        match tokio::time::timeout_at(deadline, Limited::new(response, BODY_BYTES_MAX).collect()).await {
            Err(_) => Err(Error::TimedOut { url: url.into(), after: self.timeout, changes }),
            Ok(Err(error)) => Err(Error::Broken { url: url.into(), reason: error::innermost(&*error), changes }),
            Ok(Ok(collected)) => Ok(collected.to_bytes()),
        }
    }
}

/// The value in the given type. Null fields count as absent, because the API writes empty lists and maps either way.
pub fn typed<T: DeserializeOwned>(value: &Value) -> Result<T, serde_json::Error> {
    serde_json::from_value(without_nulls(value))
}

fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(fields) => Value::Object(
            fields
                .iter()
                .filter(|(_, field)| !field.is_null())
                .map(|(name, field)| (name.clone(), without_nulls(field)))
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.iter().map(without_nulls).collect()),
        other => other.clone(),
    }
}
