//! The alarms of the server that is asked: what must never be, and was. Ours, not Nomad's.

use std::sync::Arc;

use axum::response::Response;
use serde_json::{Value, json};

use crate::alarms::Raised;
use crate::http::Api;
use crate::http::call::Call;
use crate::http::failure::Failure;
use crate::http::reply::json as reply_json;

/// `GET /v1/operator/alarms`: how many were raised since the server started, and the newest, oldest first.
pub(super) async fn list(api: Arc<Api>, call: Arc<Call>) -> Result<Response, Failure> {
    let (raised, newest) = api.cluster.alarms();
    let alarm = |Raised { at, index, invariant, what }: &Raised| json!({ "Time": at.nanoseconds(), "Index": index, "Invariant": invariant, "What": what });
    let newest: Vec<Value> = newest.iter().map(alarm).collect();
    reply_json(&call, &json!({ "ServerID": api.cluster.server_id().to_string(), "Raised": raised, "Alarms": newest }))
}
