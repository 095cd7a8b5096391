//! Allocations: listed, shown, stopped, with their services and checks.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::response::Response;
use serde_json::json;
use server_core::command::Command;

use super::find;
use super::job::allocation_row;
use super::propose::{evaluated, newest, propose};
use super::view::allocation::{AllocationStub, AllocationView, CheckView};
use super::view::service::Registration;
use crate::http::Api;
use crate::http::call::Call;
use crate::http::failure::Failure;
use crate::http::listing::list as list_rows;
use crate::http::read::{Found, Read};

/// How an allocation is missing, in the words that clients look for.
pub(super) const NOT_FOUND: &str = "Allocation not found";
/// The same where a node would have said it.
pub(super) const UNKNOWN: &str = "Unknown allocation";

/// `GET /v1/allocations`.
pub(super) fn list<'a>(read: &'a Read<'a>) -> Result<Found<'a>, Failure> {
    let query = &read.call.query;
    let with_resources = query.flag("resources")?;
    let with_tasks = query.get("task_states").is_none() || query.flag("task_states")?;
    let namespaces = read.call.namespaces();
    let all = read.state.allocations().filter(move |known| namespaces.hold(&known.job.namespace));
    let index = read.state.indexes().allocations;
    let view = move |known| AllocationStub::of(read.state, known, with_resources, with_tasks);
    list_rows(read, index, all.map(|known| allocation_row(known)), view)
}

/// `GET /v1/allocation/{id}`.
pub(super) fn get<'a>(read: &'a Read<'a>) -> Result<Found<'a>, Failure> {
    let known = find::allocation(read.state, read.call, NOT_FOUND)?;
    Ok(Found::one(read, known.modify_index, move || AllocationView::of(read.state, known)))
}

/// `GET /v1/allocation/{id}/services`.
pub(super) fn services<'a>(read: &'a Read<'a>) -> Result<Found<'a>, Failure> {
    let known = find::allocation(read.state, read.call, NOT_FOUND)?;
    let own = read.state.instances_of(known.id);
    let passing = own.iter().filter(|instance| instance.state == model::InstanceState::Passing);
    let rows: Vec<_> = passing
        .map(|instance| {
            let row = read.state.service(&instance.job.namespace, &instance.service);
            Registration::of(read.state, instance, row.map_or(known.modify_index, |row| row.modify_index))
        })
        .collect();
    // Whether an instance passes depends on its node as well.
    let node = read.state.node(known.node).map_or(0, |node| node.modify_index);
    Ok(Found::one(read, known.modify_index.max(node), move || rows))
}

/// `GET /v1/client/allocation/{id}/checks`: from state, because agents commit each transition.
pub(super) fn checks<'a>(read: &'a Read<'a>) -> Result<Found<'a>, Failure> {
    let known = find::allocation(read.state, read.call, UNKNOWN)?;
    Ok(Found::one(read, known.modify_index, move || {
        let checks = known.checks.iter().map(|(key, check)| (key, CheckView::of(known, key, check)));
        checks.collect::<BTreeMap<_, _>>()
    }))
}

/// `PUT /v1/allocation/{id}/stop`.
pub(super) async fn stop(api: Arc<Api>, call: Arc<Call>) -> Result<Response, Failure> {
    let allocation = find::allocation(&*newest(&api).await?, &call, NOT_FOUND)?.id;
    let done = propose(&api, &call, Command::StopAllocation { allocation }).await?;
    evaluated(&call, &done, json!({}))
}
