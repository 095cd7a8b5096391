//! What operators see and set: who votes, how the scheduler chooses, what is over.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::response::Response;
use model::{Algorithm, ServerId};
use serde_json::{Map, Value, json};
use server_core::collection;
use server_core::command::{Command, Preemption, SchedulerConfiguration};

use super::agent::name;
use super::propose::{newest, propose};
use crate::authority::{JOIN_TOKEN_TTL_DEFAULT, JoinRole, mint};
use crate::cluster::Member;
use crate::http::Api;
use crate::http::body::Fields;
use crate::http::call::Call;
use crate::http::failure::Failure;
use crate::http::limits::COLLECT_BATCHES_MAX;
use crate::http::read::{Found, Read};
use crate::http::reply::{changed, json as reply_json};
use crate::token_record;

/// `GET /v1/operator/raft/configuration`.
pub(super) async fn raft(api: Arc<Api>, call: Arc<Call>) -> Result<Response, Failure> {
    let state = api.cluster.states().borrow().clone();
    let leader = api.cluster.leadership().leader.map(|(id, _)| id);
    let server = |member: &Member| {
        json!({
            "ID": member.id.to_string(),
            "Node": format!("{}.{}", name(state.server(member.id), member), api.config.region),
            "Address": member.address,
            "Leader": leader == Some(member.id),
            "Voter": member.is_voter,
            "RaftProtocol": "3",
        })
    };
    let servers: Vec<Value> = api.cluster.members().iter().map(server).collect();
    reply_json(&call, &json!({ "Servers": servers, "Index": api.cluster.log_numbers().committed }))
}

/// `GET /v1/operator/scheduler/configuration`.
pub(super) fn scheduler<'a>(read: &'a Read<'a>) -> Result<Found<'a>, Failure> {
    let (configuration, index) = read.state.scheduler();
    Ok(Found::one(read, index, move || {
        let Preemption { system, sysbatch, batch, service } = configuration.preemption;
        let preemption = json!({
            "SystemSchedulerEnabled": system,
            "SysBatchSchedulerEnabled": sysbatch,
            "BatchSchedulerEnabled": batch,
            "ServiceSchedulerEnabled": service,
        });
        let of_pool = |(name, of): (&String, &Algorithm)| (name.clone(), json!({ "SchedulerAlgorithm": of.as_str() }));
        json!({
            "SchedulerConfig": {
                "SchedulerAlgorithm": configuration.algorithm.as_str(),
                "NodePools": configuration.pools.iter().flatten().map(of_pool).collect::<Map<_, _>>(),
                "PreemptionConfig": preemption,
                "MemoryOversubscriptionEnabled": true,
                "RejectJobRegistration": false,
                "PauseEvalBroker": false,
                "CreateIndex": index,
                "ModifyIndex": index,
            },
            "Index": index,
        })
    }))
}

/// `PUT /v1/operator/scheduler/configuration`: what this release can't do is refused, not ignored.
pub(super) async fn set_scheduler(api: Arc<Api>, call: Arc<Call>) -> Result<Response, Failure> {
    let body = call.fields()?;
    let (algorithm, pools) = (algorithm(&body)?.unwrap_or_default(), pools(&body)?);
    refuse_what_is_absent(&body)?;
    let check_index = call.query.number("cas")?;
    let configuration = SchedulerConfiguration { algorithm, pools, preemption: preemption(&body)? };
    let done = propose(&api, &call, Command::SetSchedulerConfiguration { configuration, check_index }).await?;
    changed(&call, done.index, &json!({ "Updated": true, "Index": done.index }))
}

fn algorithm(body: &Fields) -> Result<Option<Algorithm>, Failure> {
    match body.text("SchedulerAlgorithm")?.as_str() {
        "" => Ok(None),
        "binpack" => Ok(Some(Algorithm::Binpack)),
        "spread" => Ok(Some(Algorithm::Spread)),
        other => Err(Failure::bad_request(format!("SchedulerAlgorithm must be binpack or spread, got {other:?}"))),
    }
}

/// The algorithms of node pools: all of them, or none where the body says nothing of pools.
fn pools(body: &Fields) -> Result<Option<BTreeMap<String, Algorithm>>, Failure> {
    let Some(fields) = body.fields("NodePools")? else { return Ok(None) };
    let mut pools = BTreeMap::new();
    for name in fields.names() {
        let of = fields.fields(name)?.map_or(Ok(None), |of| algorithm(&of))?;
        pools.extend(of.map(|of| (name.to_string(), of)));
    }
    Ok(Some(pools))
}

fn refuse_what_is_absent(body: &Fields) -> Result<(), Failure> {
    let asked: Vec<&str> =
        ["RejectJobRegistration", "PauseEvalBroker"].into_iter().filter(|name| body.flag(name) == Ok(true)).collect();
    if asked.is_empty() {
        return Ok(());
    }
    Err(Failure::bad_request(format!("this release does not have {}", asked.join(", "))))
}

/// Whose work may take room. A configuration without it means the default, as whoever sends one sends all of it.
fn preemption(body: &Fields) -> Result<Preemption, Failure> {
    let Some(fields) = body.fields("PreemptionConfig")? else { return Ok(Preemption::default()) };
    Ok(Preemption {
        system: fields.flag("SystemSchedulerEnabled")?,
        sysbatch: fields.flag("SysBatchSchedulerEnabled")?,
        batch: fields.flag("BatchSchedulerEnabled")?,
        service: fields.flag("ServiceSchedulerEnabled")?,
    })
}

/// `PUT /v1/system/gc`: forgets what is over, whatever its age, as the leader does by and by.
pub(super) async fn collect(api: Arc<Api>, call: Arc<Call>) -> Result<Response, Failure> {
    let mut state = newest(&api).await?;
    for _ in 0..COLLECT_BATCHES_MAX {
        let Some(command) = collection::next_at_once(&state, api.config.clock.now()) else { break };
        propose(&api, &call, command).await?;
        state = newest(&api).await?;
    }
    changed(&call, state.index(), &json!({ "Index": state.index() }))
}

/// `PUT /v1/server/join-token`.
pub(super) async fn join_token(api: Arc<Api>, call: Arc<Call>) -> Result<Response, Failure> {
    let role = call.fields()?.text("Role")?;
    let role: JoinRole =
        role.parse().map_err(|_| Failure::bad_request(format!("Role must be server or agent, got {role:?}")))?;
    let authority = api.config.authority.as_ref().ok_or_else(|| {
        Failure::bad_request("this server does not hold the authority's key; ask one of the first servers")
    })?;
    let (text, token) =
        mint(authority.hash(), &api.config.random, api.config.clock.now(), role, JOIN_TOKEN_TTL_DEFAULT);
    let done = propose(&api, &call, Command::PutJoinToken { token: token_record(&token) }).await?;
    // The one place where the secret is shown, to the person who asked for it.
    changed(&call, done.index, &json!({ "Token": text.expose(), "Role": role.to_string() }))
}

/// `DELETE /v1/server/{id}`.
pub(super) async fn remove_server(api: Arc<Api>, call: Arc<Call>) -> Result<Response, Failure> {
    let text = call.parameter("id");
    let id = text.parse().map_err(|_| Failure::bad_request(format!("a server's id is a number, got {text:?}")))?;
    remove(&api, id).await?;
    reply_json(&call, &json!({ "ID": id.to_string() }))
}

/// `DELETE /v1/operator/raft/peer?id` or `?address`.
pub(super) async fn remove_peer(api: Arc<Api>, call: Arc<Call>) -> Result<Response, Failure> {
    let peer = peer(&api, &call)?;
    remove(&api, peer.id).await?;
    reply_json(&call, &Value::Null)
}

async fn remove(api: &Api, id: ServerId) -> Result<(), Failure> {
    let members = api.cluster.members();
    if !members.iter().any(|member| member.id == id) {
        return Err(Failure::not_found("server not found"));
    }
    if members.len() == 1 {
        return Err(Failure::bad_request("this is the last server: the cluster would be gone"));
    }
    api.cluster.remove_server(id).await?;
    tracing::info!(server = id, "took a server out of the cluster");
    Ok(())
}

/// `PUT /v1/operator/raft/transfer-leadership?id` or `?address`.
pub(super) async fn transfer_leadership(api: Arc<Api>, call: Arc<Call>) -> Result<Response, Failure> {
    let to = peer(&api, &call)?;
    if !to.is_voter {
        return Err(Failure::bad_request(format!("server {} does not vote yet", to.id)));
    }
    let from = api.cluster.leadership().leader.map(|(id, _)| id);
    let is_there = from == Some(to.id);
    if !is_there {
        api.cluster.transfer_leadership(to.id).await?;
        tracing::info!(to = to.id, "leadership was handed over");
    }
    let shown = |id: ServerId| json!({ "ID": id.to_string() });
    let answer = json!({ "From": from.map(shown), "To": shown(to.id), "Noop": is_there, "Err": Value::Null });
    reply_json(&call, &answer)
}

/// The server that the query names.
fn peer(api: &Api, call: &Call) -> Result<Member, Failure> {
    let (id, address) = (call.query.text("id"), call.query.text("address"));
    let is_meant = |member: &Member| match (id, address) {
        (Some(id), _) => member.id.to_string() == id,
        (None, Some(address)) => member.address == address,
        (None, None) => false,
    };
    if id.is_none() && address.is_none() {
        return Err(Failure::bad_request("name the server by `id` or `address`"));
    }
    api.cluster.members().into_iter().find(is_meant).ok_or_else(|| Failure::not_found("server not found"))
}
