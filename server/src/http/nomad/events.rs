//! The event stream: what each entry of the log changed, as lines of JSON, from an index on or from now.
//!
//! An empty object is a sign of life: the first line, then one between the past and what happens from now on, then one
//! whenever nothing happens for a while.
//!
//! Pulled by its reader: a slow one falls behind in the server's bounded buffer and, once beyond its end, is told so and
//! ended. Nothing is queued per reader.

mod event;
mod topics;

use std::sync::Arc;

use axum::response::Response;
use bytes::Bytes;
use futures::stream::unfold;
use model::Index;
use serde_json::json;
use server_core::state::State;
use tokio::sync::watch;
use tokio::time::Instant;

use self::event::Event;
use self::topics::Topics;
use crate::cluster::Happening;
use crate::http::Api;
use crate::http::call::Call;
use crate::http::failure::Failure;
use crate::http::limits::{EVENT_BATCH_MAX, EVENT_HEARTBEAT};
use crate::http::reply::stream as reply_stream;

/// `GET /v1/event/stream`. With `index`, begins at that entry, or for 1 at the oldest that is known; otherwise with
/// the next one.
pub(super) async fn stream(api: Arc<Api>, call: Arc<Call>) -> Result<Response, Failure> {
    let topics = Topics::parse(call.query.all("topic"))?;
    let states = api.cluster.states();
    let now = states.borrow().clone();
    let newest = now.index();
    let after = match call.query.number("index")? {
        None | Some(0) => newest,
        Some(1) => oldest(&api, newest),
        Some(index) => index - 1,
    };
    let before = (after == newest).then_some(now);
    let reader =
        Reader { api, call, topics, states, after, before, begun: false, caught_up: after == newest, ended: false };
    Ok(reply_stream(
        "application/json",
        unfold(reader, |mut reader| async move {
            let line = reader.next_line().await?;
            Some((line, reader))
        }),
    ))
}

/// The index before the oldest entry that is known. What is known is a suffix, so halving finds where it begins.
fn oldest(api: &Api, newest: Index) -> Index {
    let (mut unknown, mut known) = (0, newest);
    if api.cluster.happenings_after(0).is_some() {
        return 0;
    }
    while known - unknown > 1 {
        let middle = unknown + (known - unknown) / 2;
        match api.cluster.happenings_after(middle) {
            Some(_) => known = middle,
            None => unknown = middle,
        }
    }
    known
}

/// A client that follows.
struct Reader {
    api: Arc<Api>,
    call: Arc<Call>,
    topics: Topics,
    states: watch::Receiver<Arc<State>>,
    /// Everything up to this entry was written.
    after: Index,
    /// The state at that entry, where it is known: what services were like before.
    before: Option<Arc<State>>,
    begun: bool,
    /// Whether everything was written that had happened when the client came.
    caught_up: bool,
    ended: bool,
}

impl Reader {
    /// The next lines; none at the end.
    async fn next_line(&mut self) -> Option<Bytes> {
        if self.ended {
            return None;
        }
        if !self.begun {
            self.begun = true;
            return Some(Bytes::from_static(b"{}\n"));
        }
        let heartbeat = Instant::now() + EVENT_HEARTBEAT;
        loop {
            // Marked as seen before looking, so that what happens meanwhile wakes the wait below.
            let newest = self.states.borrow_and_update().index();
            match self.api.cluster.happenings_after(self.after) {
                None => return Some(self.too_old(newest)),
                Some(happenings) => {
                    let are_all = happenings.len() <= EVENT_BATCH_MAX;
                    let lines = self.lines(happenings);
                    if !lines.is_empty() {
                        return Some(lines.into());
                    }
                    if !are_all {
                        continue;
                    }
                    // A sign of life that tells the client that it has all of the past.
                    if !std::mem::replace(&mut self.caught_up, true) {
                        return Some(Bytes::from_static(b"{}\n"));
                    }
                }
            }
            tokio::select! {
                biased;
                () = self.api.shutdown.cancelled() => return None,
                changed = self.states.changed() => changed.ok()?,
                () = tokio::time::sleep_until(heartbeat) => return Some(Bytes::from_static(b"{}\n")),
            }
        }
    }

    fn lines(&mut self, happenings: Vec<Happening>) -> Vec<u8> {
        let mut lines = Vec::new();
        for happening in happenings.into_iter().take(EVENT_BATCH_MAX) {
            let events = event::of(&happening, self.before.as_deref());
            let wanted: Vec<Event> = events.into_iter().filter(|event| self.wants(event)).collect();
            if !wanted.is_empty() {
                let batch = json!({ "Index": happening.index, "Events": wanted });
                lines.extend_from_slice(batch.to_string().as_bytes());
                lines.push(b'\n');
            }
            self.after = happening.index;
            self.before = Some(happening.state);
        }
        lines
    }

    fn wants(&self, event: &Event) -> bool {
        let in_namespace = event.namespace.is_empty() || self.call.namespaces().hold(&event.namespace);
        in_namespace && self.topics.hold(event) && event.is_seen(&self.call.gate)
    }

    /// Says that events were missed, and where the state is now; the client reads it anew and follows from there.
    fn too_old(&mut self, newest: Index) -> Bytes {
        self.ended = true;
        let message = format!("index {} is too old: its events are no longer known", self.after + 1);
        let mut line = json!({ "Index": newest, "Error": message }).to_string().into_bytes();
        line.push(b'\n');
        line.into()
    }
}
