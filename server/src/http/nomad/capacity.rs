//! What room there is, and what would fit if something were different. Nothing is changed.

use std::sync::Arc;

use axum::response::Response;
use model::NodeId;
use server_core::authorize::Object;
use server_core::capacity::{self, Ask, NewNodes, WhatIf};
use server_core::state::State;

use super::document;
use super::propose::{computed, newest};
use super::view::capacity::{ForeseenView, OverviewView};
use crate::http::Api;
use crate::http::body::Fields;
use crate::http::call::Call;
use crate::http::failure::Failure;
use crate::http::read::{Content, Found, Read};
use crate::http::reply::{json, json_bytes};

/// `GET /v1/capacity`: it depends on everything that is placed anywhere, so it is as new as the state.
pub(super) fn overview<'a>(read: &'a Read<'a>) -> Result<Found<'a>, Failure> {
    let index = read.state.index();
    Ok(Found::written(index, move || {
        let shares = capacity::overview(read.state);
        Ok(Content { json: json_bytes(read.call, &OverviewView::of(index, &shares))?, next_token: None })
    }))
}

/// `PUT /v1/capacity`: `Ask`, `Job`, `NodesAdded` and `NodesRemoved`, each as far as it is wanted.
pub(super) async fn foresee(api: Arc<Api>, call: Arc<Call>) -> Result<Response, Failure> {
    let mut body = call.fields()?;
    let job = match body.get("Job") {
        Some(_) => Some(Arc::new(document::accepted(document::of_request(&api, &call, &mut body)?)?.0)),
        None => None,
    };
    if let Some(job) = &job {
        call.gate.check(Object::Job(&job.key()))?;
    }
    let state = newest(&api).await?;
    let what_if = WhatIf {
        ask: body.fields("Ask")?.as_ref().map(ask).transpose()?,
        job,
        added: body.list("NodesAdded")?.iter().map(|fields| new_nodes(&state, fields)).collect::<Result<_, _>>()?,
        removed: body.texts("NodesRemoved")?.iter().map(|node| named(&state, node)).collect::<Result<_, _>>()?,
    };
    let now = api.config.clock.now();
    let foreseen = computed(&api, move || capacity::foresee(&state, &what_if, now)).await?;
    let foreseen = foreseen.map_err(|cannot| Failure::bad_request(cannot.to_string()))?;
    json(&call, &ForeseenView::of(&foreseen, |job| call.gate.sees(Object::Job(job))))
}

fn ask(fields: &Fields) -> Result<Ask, Failure> {
    let device_count = fields.number("DeviceCount")?.unwrap_or(1);
    Ok(Ask {
        cpu_mhz: fields.number("CPU")?.unwrap_or(0),
        memory_mb: fields.number("MemoryMB")?.unwrap_or(0),
        memory_max_mb: fields.number("MemoryMaxMB")?.unwrap_or(0),
        disk_mb: fields.number("DiskMB")?.unwrap_or(0),
        cores: count(fields, "Cores")?.unwrap_or(0),
        device: text(fields, "Device")?.map(|name| (name, device_count)),
        driver: text(fields, "Driver")?,
        datacenter: text(fields, "Datacenter")?,
        pool: text(fields, "NodePool")?,
        class: text(fields, "NodeClass")?,
        count: count(fields, "Count")?,
    })
}

fn new_nodes(state: &State, fields: &Fields) -> Result<NewNodes, Failure> {
    let nodes = NewNodes {
        like: text(fields, "Like")?.map(|node| named(state, &node)).transpose()?,
        cpu_mhz: fields.number("CPU")?,
        memory_mb: fields.number("MemoryMB")?,
        disk_mb: fields.number("DiskMB")?,
        datacenter: text(fields, "Datacenter")?,
        pool: text(fields, "NodePool")?,
        class: text(fields, "NodeClass")?,
        count: count(fields, "Count")?.unwrap_or(1),
    };
    if nodes.like.is_none() && (nodes.cpu_mhz.is_none() || nodes.memory_mb.is_none()) {
        return Err(Failure::bad_request(
            "each of NodesAdded needs CPU and MemoryMB, or Like with a node of the cluster",
        ));
    }
    Ok(nodes)
}

fn text(fields: &Fields, name: &str) -> Result<Option<String>, Failure> {
    Ok(Some(fields.text(name)?).filter(|text| !text.is_empty()))
}

/// A count; more than can be counted is as much as can be.
fn count(fields: &Fields, name: &str) -> Result<Option<u32>, Failure> {
    Ok(fields.number(name)?.map(|number| u32::try_from(number).unwrap_or(u32::MAX)))
}

/// The node of that id or name.
fn named(state: &State, text: &str) -> Result<NodeId, Failure> {
    let is_meant = |node: &&Arc<model::Node>| node.name == text || node.id.to_string() == text;
    let found = state.nodes().find(is_meant).map(|node| node.id);
    found.ok_or_else(|| Failure::bad_request(format!("node not found: {text}")))
}
