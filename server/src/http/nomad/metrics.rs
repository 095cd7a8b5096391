//! Figures, under the names that ready-made dashboards read, and `sched_` names where those say more.
//!
//! Only what is measured or counted here is given: what runs on hosts is the agents' to say, and absent where they have
//! not said it.

mod figures;
mod prometheus;

use std::sync::Arc;

use axum::response::Response;
use serde_json::{Value, json};

use self::figures::Figure;
use super::view::time::GoTime;
use crate::http::Api;
use crate::http::call::Call;
use crate::http::failure::Failure;
use crate::http::reply::{json as reply_json, of_type};

/// `GET /v1/metrics`.
pub(super) async fn metrics(api: Arc<Api>, call: Arc<Call>) -> Result<Response, Failure> {
    // While nobody leads, figures are wanted most: what only the leader knows is left out.
    let used = api.cluster.usage().await.unwrap_or_default();
    let state = api.cluster.states().borrow().clone();
    let (alarms, _) = api.cluster.alarms();
    let figures = figures::of(&state, &api.cluster.log_numbers(), &api.cluster.leadership(), &used, alarms);
    match call.query.text("format") {
        None => reply_json(&call, &as_json(&api, &figures)),
        Some("prometheus") => Ok(of_type("text/plain; version=0.0.4; charset=utf-8", prometheus::text(&figures))),
        Some(other) => Err(Failure::bad_request(format!("format must be prometheus or absent, got {other:?}"))),
    }
}

fn as_json(api: &Api, figures: &[Figure]) -> Value {
    let gauge = |figure: &Figure| {
        let labels: serde_json::Map<_, _> =
            figure.labels.iter().map(|(name, value)| ((*name).to_string(), value.clone().into())).collect();
        json!({ "Name": figure.json_name(), "Value": figure.value, "Labels": labels })
    };
    json!({
        "Timestamp": GoTime(Some(api.config.clock.now())),
        "Gauges": figures.iter().map(gauge).collect::<Vec<_>>(),
        "Points": [],
        "Counters": [],
        "Samples": [],
    })
}
