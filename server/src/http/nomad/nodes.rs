//! Nodes: listed, shown, drained, opened and closed, purged.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use axum::response::Response;
use model::{ALL_NODE_POOLS, DEFAULT_NODE_POOL, Eligibility, Index};
use serde_json::json;
use server_core::apply::Accepted;
use server_core::authorize::Object;
use server_core::command::{Command, DrainSpec};

use super::find;
use super::propose::{newest, propose};
use super::view::allocation::AllocationView;
use super::view::drain::{self, DrainStatus};
use super::view::node::{NodeStub, NodeView};
use super::view::usage::NodesUsage;
use crate::http::Api;
use crate::http::body::{Fields, Span};
use crate::http::call::Call;
use crate::http::failure::Failure;
use crate::http::listing::{Row, list as list_rows};
use crate::http::read::{Found, Read};
use crate::http::reply::{changed, json as reply_json};

/// `GET /v1/nodes`.
pub(super) fn list<'a>(read: &'a Read<'a>) -> Result<Found<'a>, Failure> {
    let (with_resources, with_os) = (read.call.query.flag("resources")?, read.call.query.flag("os")?);
    let rows = read.state.nodes().map(|node| {
        let id = node.id.to_string();
        Row { order: id.clone(), id, object: Object::Node(node.id), value: &**node }
    });
    list_rows(read, read.state.indexes().nodes, rows, move |node| NodeStub::of(node, with_resources, with_os))
}

/// `GET /v1/node/{id}`.
pub(super) fn get<'a>(read: &'a Read<'a>) -> Result<Found<'a>, Failure> {
    let node = find::node(read.state, read.call)?;
    Ok(Found::one(read, node.modify_index, move || NodeView::of(node)))
}

/// `GET /v1/node/{id}/allocations`: in full, without their jobs' documents twice over.
pub(super) fn allocations<'a>(read: &'a Read<'a>) -> Result<Found<'a>, Failure> {
    let node = find::node(read.state, read.call)?;
    let own = || read.state.allocations_of_node(node.id);
    let index = own().map(|allocation| allocation.modify_index).fold(node.create_index, Index::max);
    Ok(Found::one(read, index, move || {
        let seen = own().filter(|allocation| read.call.gate.sees(Object::Job(&allocation.job)));
        seen.map(|allocation| AllocationView::of(read.state, allocation)).collect::<Vec<_>>()
    }))
}

/// `GET /v1/node/pools`: those that nodes name, those that have an algorithm of their own, and the two that always exist.
pub(super) fn pools<'a>(read: &'a Read<'a>) -> Result<Found<'a>, Failure> {
    let named = read.state.nodes().map(|node| node.pool.as_str());
    let (configuration, configured_at) = read.state.scheduler();
    let algorithms = configuration.pools.as_ref();
    let configured = algorithms.into_iter().flat_map(|known| known.keys().map(String::as_str));
    let names: BTreeSet<&str> = named.chain(configured).chain([ALL_NODE_POOLS, DEFAULT_NODE_POOL]).collect();
    Ok(Found::one(read, read.state.indexes().nodes.max(configured_at), move || {
        let pool = |name: &&str| {
            let description = match *name {
                ALL_NODE_POOLS => "Node pool with all nodes in the cluster.",
                DEFAULT_NODE_POOL => "Default node pool.",
                _ => "",
            };
            let own =
                algorithms.and_then(|known| known.get(*name)).map(|of| json!({ "SchedulerAlgorithm": of.as_str() }));
            json!({
                "Name": name,
                "Description": description,
                "Meta": {},
                "SchedulerConfiguration": own,
                "CreateIndex": 1,
                "ModifyIndex": 1,
            })
        };
        names.iter().map(pool).collect::<Vec<_>>()
    }))
}

/// `GET /v1/node/{id}/drain/status`.
pub(super) fn drain_status<'a>(read: &'a Read<'a>) -> Result<Found<'a>, Failure> {
    let node = find::node(read.state, read.call)?;
    Ok(Found::one(read, drain::index(read.state, node), move || DrainStatus::of(read.state, node)))
}

/// `GET /v1/nodes/usage`.
pub(super) async fn usage(api: Arc<Api>, call: Arc<Call>) -> Result<Response, Failure> {
    // Placement is shown even while nobody leads; what is measured comes from the leader.
    let used = api.cluster.usage().await.unwrap_or_default();
    let state = api.cluster.states().borrow().clone();
    let usage = NodesUsage::of(&state, &used, |node| call.gate.sees(Object::Node(node)));
    changed(&call, state.index(), &usage)
}

/// `PUT /v1/node/{id}/drain`.
pub(super) async fn drain(api: Arc<Api>, call: Arc<Call>) -> Result<Response, Failure> {
    let node = find::node(&*newest(&api).await?, &call)?.id;
    let body = call.fields()?;
    let drain = drain_spec(&body)?;
    let mark_eligible = body.flag("MarkEligible")?;
    let meta: BTreeMap<String, String> = body.map("Meta")?;
    let done = propose(&api, &call, Command::DrainNode { node, drain, mark_eligible, meta }).await?;
    answer(&call, &done)
}

/// On the wire a deadline of 0 is none, and a negative one is "at once".
fn drain_spec(body: &Fields) -> Result<Option<DrainSpec>, Failure> {
    let Some(spec) = body.fields("DrainSpec")? else { return Ok(None) };
    let deadline = match spec.span("Deadline")? {
        None | Some(Span::Of(Duration::ZERO)) => None,
        Some(Span::Of(deadline)) => Some(deadline),
        Some(Span::Negative) => Some(Duration::ZERO),
    };
    Ok(Some(DrainSpec { deadline, ignore_system_jobs: spec.flag("IgnoreSystemJobs")? }))
}

/// `PUT /v1/node/{id}/eligibility`.
pub(super) async fn set_eligibility(api: Arc<Api>, call: Arc<Call>) -> Result<Response, Failure> {
    let node = find::node(&*newest(&api).await?, &call)?.id;
    let wanted = call.fields()?.text("Eligibility")?;
    let known = [Eligibility::Eligible, Eligibility::Ineligible];
    let eligibility = known.into_iter().find(|known| known.as_str() == wanted).ok_or_else(|| {
        Failure::bad_request(format!("invalid scheduling eligibility {wanted:?}: expected eligible or ineligible"))
    })?;
    let done = propose(&api, &call, Command::SetNodeEligibility { node, eligibility }).await?;
    answer(&call, &done)
}

/// `PUT /v1/node/{id}/purge`.
pub(super) async fn purge(api: Arc<Api>, call: Arc<Call>) -> Result<Response, Failure> {
    let node = find::node(&*newest(&api).await?, &call)?.id;
    let done = propose(&api, &call, Command::PurgeNode { node }).await?;
    answer(&call, &done)
}

/// `PUT /v1/node/{id}/evaluate`: evaluates every job that has something on the node.
pub(super) async fn evaluate(api: Arc<Api>, call: Arc<Call>) -> Result<Response, Failure> {
    let state = newest(&api).await?;
    let node = find::node(&state, &call)?;
    let on_it = state.allocations_of_node(node.id).map(|allocation| allocation.job.clone());
    let jobs: BTreeSet<_> = on_it.filter(|job| state.job(job).is_some()).collect();
    let mut done = Accepted { index: state.index(), ..Accepted::default() };
    for job in jobs {
        let more = propose(&api, &call, Command::EvaluateJob { job, force_reschedule: false }).await?;
        done.index = more.index;
        done.evaluations.extend(more.evaluations);
    }
    answer(&call, &done)
}

fn answer(call: &Call, done: &Accepted) -> Result<Response, Failure> {
    let evaluations: Vec<String> = done.evaluations.iter().map(ToString::to_string).collect();
    let answer = json!({
        "EvalIDs": evaluations,
        "EvalCreateIndex": if evaluations.is_empty() { 0 } else { done.index },
        "NodeModifyIndex": done.index,
        "Index": done.index,
    });
    changed(call, done.index, &answer)
}

/// `GET /v1/client/stats`: what a node's agent last measured of its host.
pub(super) async fn stats(api: Arc<Api>, call: Arc<Call>) -> Result<Response, Failure> {
    let state = api.cluster.states().borrow().clone();
    let wanted = call.query.text("node_id").ok_or_else(|| Failure::bad_request("node_id must be given"))?;
    let node = state.nodes().find(|node| node.id.to_string() == wanted);
    let node = node.ok_or_else(|| Failure::not_found("node not found"))?;
    call.gate.check(Object::Node(node.id))?;
    let used = api.cluster.usage().await?;
    let used =
        used.get(&node.id).ok_or_else(|| Failure::not_found("the node's agent has not measured anything yet"))?;
    const MIB: u64 = 1024 * 1024;
    let (total, taken) = (node.total.memory_mb * MIB, used.memory_mb * MIB);
    let free = total.saturating_sub(taken);
    let answer = json!({
        "Memory": { "Total": total, "Used": taken, "Available": free, "Free": free },
        "CPUTicksConsumed": used.cpu_mhz,
    });
    reply_json(&call, &answer)
}
