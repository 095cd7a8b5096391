//! Changes: a command to the cluster, and the answers that many routes share.

use std::sync::Arc;

use axum::response::Response;
use serde_json::{Value, json};
use server_core::apply::Accepted;
use server_core::command::Command;
use server_core::state::State;

use crate::cluster::Consistency;
use crate::http::Api;
use crate::http::call::Call;
use crate::http::failure::{Failure, accepted};
use crate::http::reply::changed;

/// A state that holds everything that was acknowledged before: what a change is looked up in.
pub(super) async fn newest(api: &Api) -> Result<Arc<State>, Failure> {
    Ok(api.cluster.view(Consistency::Linearizable).await?.state)
}

/// Computes what takes long on a large cluster, where it holds up nobody else.
pub(super) async fn computed<T: Send + 'static>(
    api: &Api,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Failure> {
    let done = api.config.blocking.run(work).await;
    done.map_err(|error| Failure::internal(format!("it could not be computed: {error}")))
}

/// Proposes a command, and returns what it brought about.
pub(super) async fn propose(api: &Api, call: &Call, command: Command) -> Result<Accepted, Failure> {
    propose_once(api, call, call.idempotency(), command).await
}

/// Proposes what follows from a command of the same request that was proposed before.
pub(super) async fn propose_further(api: &Api, call: &Call, command: Command) -> Result<Accepted, Failure> {
    propose_once(api, call, None, command).await
}

async fn propose_once(
    api: &Api,
    call: &Call,
    request: Option<[u8; 16]>,
    command: Command,
) -> Result<Accepted, Failure> {
    let caller = call.gate.caller().to_string();
    let kind = command.name();
    let done = accepted(api.cluster.propose(&caller, request, command).await?)?;
    tracing::info!(command = kind, index = done.index, "changed the cluster");
    Ok(done)
}

/// The answer that names the evaluation of a change.
pub(super) fn evaluated(call: &Call, done: &Accepted, more: Value) -> Result<Response, Failure> {
    let evaluation = done.evaluation.map(|id| id.to_string()).unwrap_or_default();
    let mut answer = json!({
        "EvalID": evaluation,
        "EvalCreateIndex": if evaluation.is_empty() { 0 } else { done.index },
        "Index": done.index,
        "LastContact": 0,
        "KnownLeader": true,
    });
    if let (Value::Object(answer), Value::Object(more)) = (&mut answer, more) {
        answer.extend(more);
    }
    changed(call, done.index, &answer)
}
