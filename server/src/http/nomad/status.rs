//! Small things that clients ask first: leader, peers, regions, namespaces, the API's description.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::response::Response;
use model::DEFAULT_NAMESPACE;
use serde_json::json;
use server_core::authorize::Object;

use super::ROUTES;
use crate::cluster::ClusterError;
use crate::http::Api;
use crate::http::call::Call;
use crate::http::failure::Failure;
use crate::http::openapi;
use crate::http::read::{Found, Read};
use crate::http::reply::json as reply_json;

/// `GET /v1/status/leader`: `host:port`.
pub(super) async fn leader(api: Arc<Api>, call: Arc<Call>) -> Result<Response, Failure> {
    let (_, address) = api.cluster.leadership().leader.ok_or(ClusterError::NoLeader)?;
    reply_json(&call, &address)
}

/// `GET /v1/status/peers`: `host:port` of each voter.
pub(super) async fn peers(api: Arc<Api>, call: Arc<Call>) -> Result<Response, Failure> {
    let voters = api.cluster.members().into_iter().filter(|member| member.is_voter);
    reply_json(&call, &voters.map(|member| member.address).collect::<Vec<_>>())
}

/// `GET /v1/regions`.
pub(super) async fn regions(api: Arc<Api>, call: Arc<Call>) -> Result<Response, Failure> {
    reply_json(&call, &[&api.config.region])
}

/// `GET /v1/namespaces`: those that jobs name, and the default one.
pub(super) fn namespaces<'a>(read: &'a Read<'a>) -> Result<Found<'a>, Failure> {
    let named = read.state.jobs().map(|record| &*record.key.namespace);
    let names: BTreeSet<&str> = named.chain([DEFAULT_NAMESPACE]).collect();
    Ok(Found::one(read, read.state.indexes().jobs, move || {
        let seen = names.into_iter().filter(|name| read.call.gate.sees(Object::Namespace(name)));
        let namespace = |name| {
            let description = if name == DEFAULT_NAMESPACE { "Default shared namespace" } else { "" };
            json!({ "Name": name, "Description": description, "Meta": {}, "CreateIndex": 1, "ModifyIndex": 1 })
        };
        seen.map(namespace).collect::<Vec<_>>()
    }))
}

/// `GET /v1/openapi.json`.
pub(super) async fn openapi(api: Arc<Api>, call: Arc<Call>) -> Result<Response, Failure> {
    reply_json(&call, &openapi::document(ROUTES, &api.config.version))
}
