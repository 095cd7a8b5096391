//! Ids by their beginning, for completion.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::response::Response;
use serde_json::json;
use server_core::authorize::Object;
use server_core::state::State;

use super::propose::newest;
use crate::http::Api;
use crate::http::call::Call;
use crate::http::failure::Failure;
use crate::http::limits::SEARCH_MATCHES_MAX;
use crate::http::reply::changed;

/// The kinds of things that are searched.
const CONTEXTS: [&str; 7] = ["jobs", "evals", "allocs", "nodes", "deployment", "services", "namespaces"];

/// `PUT /v1/search`.
pub(super) async fn search(api: Arc<Api>, call: Arc<Call>) -> Result<Response, Failure> {
    let body = call.fields()?;
    let (prefix, context) = (body.text("Prefix")?, body.text("Context")?);
    let contexts: Vec<&str> = match context.as_str() {
        "" | "all" => CONTEXTS.to_vec(),
        one => CONTEXTS.into_iter().filter(|known| *known == one).collect(),
    };
    if contexts.is_empty() {
        return Err(Failure::bad_request(format!("context must be one of {} or all", CONTEXTS.join(", "))));
    }
    let state = newest(&api).await?;
    let (mut matches, mut truncations) = (BTreeMap::new(), BTreeMap::new());
    for context in contexts {
        let mut found: Vec<String> = candidates(&state, &call, context).filter(|id| id.starts_with(&prefix)).collect();
        found.sort();
        found.dedup();
        truncations.insert(context, found.len() > SEARCH_MATCHES_MAX);
        found.truncate(SEARCH_MATCHES_MAX);
        matches.insert(context, found);
    }
    changed(&call, state.index(), &json!({ "Matches": matches, "Truncations": truncations, "Index": state.index() }))
}

fn candidates<'a>(state: &'a State, call: &'a Call, context: &str) -> Box<dyn Iterator<Item = String> + 'a> {
    let namespaces = call.namespaces();
    let sees = move |key: &model::JobKey| namespaces.hold(&key.namespace) && call.gate.sees(Object::Job(key));
    match context {
        "jobs" => Box::new(state.jobs().filter(move |known| sees(&known.key)).map(|known| known.key.id.to_string())),
        "evals" => {
            Box::new(state.evaluations().filter(move |known| sees(&known.job)).map(|known| known.id.to_string()))
        }
        "allocs" => {
            Box::new(state.allocations().filter(move |known| sees(&known.job)).map(|known| known.id.to_string()))
        }
        "deployment" => {
            Box::new(state.deployments().filter(move |known| sees(&known.job)).map(|known| known.id.to_string()))
        }
        "nodes" => {
            let seen = state.nodes().filter(|node| call.gate.sees(Object::Node(node.id)));
            Box::new(seen.map(|node| node.id.to_string()))
        }
        "services" => {
            let seen = state.services().map(|(key, _)| key).filter(move |(namespace, name)| {
                namespaces.hold(namespace) && call.gate.sees(Object::Service(namespace, name))
            });
            Box::new(seen.map(|(_, name)| name.to_string()))
        }
        _ => Box::new(state.jobs().map(|known| known.key.namespace.to_string())),
    }
}
