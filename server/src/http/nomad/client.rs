//! What only a node's agent can say or do, of an allocation or a volume: an order down its stream, and the answer.

use std::sync::Arc;

use axum::response::Response;
use model::{Allocation, NodeId, NodeStatus};
use proto::net::Channel;
use proto::wire::{LogsOrder, RestartOrder, StatsOrder, frame, order};
use serde::Deserialize;
use serde_json::json;
use server_core::state::State;

use super::allocations::UNKNOWN;
use super::find;
use super::propose::newest;
use crate::http::Api;
use crate::http::call::Call;
use crate::http::failure::Failure;
use crate::http::limits::{ORDER_ANSWER_BYTES_MAX, ORDER_MAX};
use crate::http::reply::{changed, json as reply_json};

/// What an agent measures of an allocation, in its own words.
#[derive(Deserialize)]
struct Figures {
    cpu_mhz: u64,
    memory_mb: u64,
}

/// `GET /v1/client/allocation/{id}/stats`: of the whole allocation; agents do not tell its tasks apart.
pub(super) async fn stats(api: Arc<Api>, call: Arc<Call>) -> Result<Response, Failure> {
    let state = newest(&api).await?;
    let allocation = find::allocation(&state, &call, UNKNOWN)?;
    let body = order::Body::Stats(StatsOrder { allocation: id_bytes(allocation) });
    let answer = collect(open(&api, &state, allocation, body).await?).await?;
    let figures: Figures = serde_json::from_slice(&answer)
        .map_err(|error| Failure::internal(format!("the agent's figures can't be read: {error}")))?;
    let answer = json!({
        "ResourceUsage": {
            "CpuStats": { "TotalTicks": figures.cpu_mhz, "Measured": ["Total Ticks"] },
            "MemoryStats": { "Usage": figures.memory_mb * 1024 * 1024, "Measured": ["Usage"] },
        },
        "Timestamp": api.config.clock.now().nanoseconds(),
    });
    reply_json(&call, &answer)
}

/// `PUT /v1/client/allocation/{id}/restart`.
pub(super) async fn restart(api: Arc<Api>, call: Arc<Call>) -> Result<Response, Failure> {
    let state = newest(&api).await?;
    let allocation = find::allocation(&state, &call, UNKNOWN)?;
    let body = call.fields_if_any()?;
    let task = body.text("TaskName")?;
    if !task.is_empty() {
        check_task(&state, allocation, &task)?;
    }
    let all_tasks = body.flag("AllTasks")?;
    let order = RestartOrder { allocation: id_bytes(allocation), task, all_tasks };
    collect(open(&api, &state, allocation, order::Body::Restart(order)).await?).await?;
    changed(&call, state.index(), &json!({ "Index": state.index() }))
}

/// Opens a conversation in which the node's agent answers about logs.
pub(super) async fn open_logs(
    api: &Api,
    state: &State,
    allocation: &Allocation,
    order: LogsOrder,
) -> Result<Channel, Failure> {
    let order = LogsOrder { allocation: id_bytes(allocation), ..order };
    open(api, state, allocation, order::Body::Logs(order)).await
}

/// Refuses a task that the allocation does not have, and names those that it has.
pub(super) fn check_task(state: &State, allocation: &Allocation, task: &str) -> Result<(), Failure> {
    let tasks = tasks(state, allocation);
    if tasks.iter().any(|known| known == task) {
        return Ok(());
    }
    let known = tasks.join(", ");
    Err(Failure::bad_request(format!("task {task:?} is not part of the allocation; its tasks are: {known}")))
}

/// The tasks of an allocation.
pub(super) fn tasks(state: &State, allocation: &Allocation) -> Vec<String> {
    let version = state.job_version(&allocation.job, allocation.job_version);
    match version.and_then(|version| version.job.group(&allocation.group)) {
        Some(group) => group.tasks.iter().map(|task| task.name.clone()).collect(),
        // The version is forgotten; what the agent reported is not.
        None => allocation.tasks.unpack().into_keys().collect(),
    }
}

fn id_bytes(allocation: &Allocation) -> prost::bytes::Bytes {
    prost::bytes::Bytes::copy_from_slice(allocation.id.as_bytes())
}

/// Gives the agent of a node an order, and returns the whole of its answer.
pub(super) async fn ask_node(api: &Api, state: &State, node: NodeId, body: order::Body) -> Result<Vec<u8>, Failure> {
    collect(open_to(api, state, node, body).await?).await
}

async fn open(api: &Api, state: &State, allocation: &Allocation, body: order::Body) -> Result<Channel, Failure> {
    open_to(api, state, allocation.node, body).await
}

async fn open_to(api: &Api, state: &State, node: NodeId, body: order::Body) -> Result<Channel, Failure> {
    let node = state.node(node).ok_or_else(|| Failure::not_found("node not found: it was purged"))?;
    if node.status == NodeStatus::Down {
        return Err(Failure::not_found(format!("No path to node {}: it is down", node.name)));
    }
    let opening = api.cluster.order(node.id, body);
    match tokio::time::timeout(ORDER_MAX, opening).await {
        Ok(opened) => Ok(opened?),
        Err(_) => Err(Failure::internal(format!("the agent of node {} did not answer", node.name))),
    }
}

/// The whole of an answer that is not a stream.
async fn collect(mut channel: Channel) -> Result<Vec<u8>, Failure> {
    let reading = async {
        let mut answer = Vec::new();
        while let Some(frame) = channel.receiver.recv().await {
            match frame.body {
                Some(frame::Body::Data(data)) if answer.len() + data.len() <= ORDER_ANSWER_BYTES_MAX => {
                    answer.extend_from_slice(&data);
                }
                Some(frame::Body::Data(_)) => return Err(Failure::internal("the agent's answer is too long")),
                Some(frame::Body::End(end)) if end.error.is_empty() => return Ok(answer),
                Some(frame::Body::End(end)) => return Err(Failure::of_agent(end.status, end.error)),
                _ => {}
            }
        }
        Err(Failure::internal("the agent broke off its answer"))
    };
    let late = |_| Failure::internal("the agent did not answer in time");
    tokio::time::timeout(ORDER_MAX, reading).await.map_err(late)?
}
