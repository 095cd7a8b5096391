//! Reads: answers that are a function of one state, and that can wait until they change.
//!
//! A read names the index of its own result first and writes the result only when it is wanted, so a waiting client costs
//! little for each change that does not concern it. A wait subscribes before it looks, so no change slips through, and
//! it ends when the result's index passes the client's, at the deadline, or when the server shuts down.

use std::sync::Arc;
use std::time::Duration;

use axum::response::Response;
use model::Index;
use serde::Serialize;
use server_core::state::State;
use tokio::time::Instant;

use super::Api;
use super::call::Call;
use super::failure::Failure;
use super::limits::{WAIT_JITTER_DIVISOR, WAIT_MAX};
use super::reply::{Freshness, json_bytes, read_reply};
use crate::cluster::{ClusterError, Consistency};

/// A function from a state to an answer.
pub(super) type ReadFn = for<'a> fn(&'a Read<'a>) -> Result<Found<'a>, Failure>;

/// What a read looks at.
pub(super) struct Read<'a> {
    /// The state.
    pub(super) state: &'a State,
    /// The request.
    pub(super) call: &'a Call,
}

/// An answer that is not written yet.
pub(super) struct Found<'a> {
    index: Index,
    write: Box<dyn FnOnce() -> Result<Content, Failure> + 'a>,
}

/// A written answer.
pub(super) struct Content {
    /// JSON.
    pub(super) json: Vec<u8>,
    /// Where the next page begins.
    pub(super) next_token: Option<String>,
}

impl<'a> Found<'a> {
    /// The value that `view` makes; it last changed at `index`.
    pub(super) fn one<V: Serialize>(read: &'a Read<'a>, index: Index, view: impl FnOnce() -> V + 'a) -> Self {
        Self::written(index, move || Ok(Content { json: json_bytes(read.call, &view())?, next_token: None }))
    }

    /// What `write` writes; it last changed at `index`.
    pub(super) fn written(index: Index, write: impl FnOnce() -> Result<Content, Failure> + 'a) -> Self {
        // Index 0 means "don't wait" to clients: one that was given it would ask again at once, for ever.
        Self { index: index.max(1), write: Box::new(write) }
    }
}

/// Answers a read, after waiting if the client asks for news beyond an index.
pub(super) async fn answer(api: &Api, call: &Call, read: ReadFn) -> Result<Response, Failure> {
    let seen = call.query.number("index")?.unwrap_or(0);
    let wait = call.query.duration("wait")?.filter(|wait| !wait.is_zero()).unwrap_or(WAIT_MAX).min(WAIT_MAX);
    let stale = call.query.flag("stale")?;
    let mut states = api.cluster.states();
    let consistency = if stale { Consistency::Stale } else { Consistency::Linearizable };
    let view = api.cluster.view(consistency).await?;
    let mut freshness = Freshness { last_contact: view.last_contact, known_leader: view.known_leader };
    if let Some(reply) = attempt(call, read, &view.state, seen, freshness)? {
        return Ok(reply);
    }
    let deadline = Instant::now() + wait + jitter(api, wait);
    let mut state = view.state;
    loop {
        let go_on = tokio::select! {
            biased;
            () = api.shutdown.cancelled() => false,
            changed = states.changed() => { changed.map_err(|_| ClusterError::Stopping)?; true }
            () = tokio::time::sleep_until(deadline) => false,
        };
        let newest: Arc<State> = states.borrow_and_update().clone();
        // The view may have been newer than what the subscription had seen by then.
        if newest.index() > state.index() {
            state = newest;
        }
        freshness.known_leader = api.cluster.leadership().leader.is_some();
        let seen = if go_on { seen } else { 0 };
        if let Some(reply) = attempt(call, read, &state, seen, freshness)? {
            return Ok(reply);
        }
    }
}

/// The answer of `state`, if it is beyond what the client has seen.
fn attempt(
    call: &Call,
    read: ReadFn,
    state: &State,
    seen: Index,
    freshness: Freshness,
) -> Result<Option<Response>, Failure> {
    let request = Read { state, call };
    let found = read(&request)?;
    if seen > 0 && found.index <= seen {
        return Ok(None);
    }
    let index = found.index;
    Ok(Some(read_reply((found.write)()?, index, freshness)))
}

fn jitter(api: &Api, wait: Duration) -> Duration {
    let most = (wait / WAIT_JITTER_DIVISOR).as_nanos() as u64;
    Duration::from_nanos(api.config.random.next_u64() % (most + 1))
}
