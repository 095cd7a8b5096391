//! Rebalances: proposed, begun, watched and cancelled. Ours: Nomad has none.

use std::sync::Arc;
use std::time::Duration;

use axum::response::Response;
use model::{JobKey, NodeId};
use serde_json::json;
use server_core::authorize::Object;
use server_core::command::Command;
use server_core::limits::REBALANCE_MOVES_MAX;
use server_core::rebalance::{Ask, Goal, Limits, Proposal, Scope, propose as search};
use server_core::state::State;

use super::propose::{newest, propose};
use super::view::rebalance::{self as view, ProposalView, RebalanceView};
use crate::http::Api;
use crate::http::body::{Fields, Span};
use crate::http::call::{Call, Namespaces};
use crate::http::failure::Failure;
use crate::http::read::{Found, Read};
use crate::http::reply::{changed, json as reply_json};

/// `GET /v1/rebalance`: the one that runs, or the last one.
pub(super) fn get<'a>(read: &'a Read<'a>) -> Result<Found<'a>, Failure> {
    let sees = |job: &JobKey| read.call.gate.sees(Object::Job(job));
    Ok(Found::one(read, view::index(read.state), move || RebalanceView::of(read.state, sees)))
}

/// `PUT /v1/rebalance/plan`.
pub(super) async fn plan(api: Arc<Api>, call: Arc<Call>) -> Result<Response, Failure> {
    let state = newest(&api).await?;
    let ask = ask(&state, &call)?;
    let proposal = propose_on(&api, state, ask).await?;
    reply_json(&call, &ProposalView::of(&proposal, |job| call.gate.sees(Object::Job(job))))
}

/// `PUT /v1/rebalance`: proposes, and begins what was proposed.
pub(super) async fn begin(api: Arc<Api>, call: Arc<Call>) -> Result<Response, Failure> {
    let state = newest(&api).await?;
    let ask = ask(&state, &call)?;
    let check_index = call.fields()?.number("CheckIndex")?;
    let proposal = propose_on(&api, state, ask).await?;
    for planned in &proposal.moves {
        call.gate.check(Object::Job(&planned.job))?;
    }
    let moves = proposal.moves.len();
    let command = Command::BeginRebalance { ask: proposal.ask, moves: proposal.moves, check_index };
    let done = propose(&api, &call, command).await?;
    changed(&call, done.index, &json!({ "Rebalance": done.index, "Moves": moves, "Index": done.index }))
}

/// `DELETE /v1/rebalance`: what waits stays, what moves already moves on.
pub(super) async fn cancel(api: Arc<Api>, call: Arc<Call>) -> Result<Response, Failure> {
    let done = propose(&api, &call, Command::CancelRebalance).await?;
    changed(&call, done.index, &json!({ "Index": done.index }))
}

/// Searches where it may take its time: a large cluster takes seconds.
async fn propose_on(api: &Api, state: Arc<State>, ask: Ask) -> Result<Proposal, Failure> {
    let now = api.config.clock.now();
    let searched = api.config.blocking.run(move || search(&state, &ask, now)).await;
    searched.map_err(|error| Failure::internal(format!("the search for moves failed: {error}")))
}

/// What the body asks for.
fn ask(state: &State, call: &Call) -> Result<Ask, Failure> {
    let body = call.fields()?;
    let goal = match body.text("Goal")?.as_str() {
        "spread" => Goal::Spread,
        "pack" => Goal::Pack,
        "empty" => Goal::Empty(node(state, call, &body)?),
        other => {
            return Err(Failure::bad_request(format!("Goal must be spread, pack or empty, got {other:?}")));
        }
    };
    let usual = Limits::default();
    let limits = Limits {
        moves: number(&body, "MaxMoves", usual.moves, REBALANCE_MOVES_MAX)?,
        at_once: number(&body, "MaxAtOnce", usual.at_once, REBALANCE_MOVES_MAX)?,
        per_job_at_once: number(&body, "MaxPerJob", usual.per_job_at_once, REBALANCE_MOVES_MAX)?,
        cool_down: match body.span("CoolDown")? {
            None => usual.cool_down,
            Some(Span::Of(cool_down)) => cool_down,
            Some(Span::Negative) => Duration::ZERO,
        },
    };
    let text = |name| body.text(name).map(|text| Some(text).filter(|text| !text.is_empty()));
    let job = text("JobID")?.map(|id| JobKey::new(call.namespace(), &id));
    if let Some(job) = &job {
        call.gate.check(Object::Job(job))?;
        state.job(job).ok_or_else(|| Failure::not_found("job not found"))?;
    }
    // Without a word about it, all namespaces are meant: nodes are shared by all.
    let namespace = match call.namespaces() {
        Namespaces::One(one) if call.query.text("namespace").is_some() => Some(one.to_string()),
        Namespaces::One(_) | Namespaces::All => None,
    };
    let scope = Scope { job, namespace, pool: text("NodePool")?, singletons: body.flag("Singletons")? };
    Ok(Ask { goal, scope, limits })
}

/// The node that shall be emptied.
fn node(state: &State, call: &Call, body: &Fields) -> Result<NodeId, Failure> {
    let wanted = body.text("NodeID")?;
    let known = state.nodes().find(|node| node.id.to_string() == wanted);
    let id = known.map(|node| node.id).ok_or_else(|| {
        let hint = "NodeID must be the id of the node to empty";
        Failure::not_found(format!("node not found: {wanted:?}; {hint}"))
    })?;
    call.gate.check(Object::Node(id))?;
    Ok(id)
}

/// A limit of the body, or the usual one.
fn number(body: &Fields, name: &str, usual: u32, max: u32) -> Result<u32, Failure> {
    let Some(given) = body.number(name)? else { return Ok(usual) };
    let number = u32::try_from(given).ok().filter(|number| (1..=max).contains(number));
    number.ok_or_else(|| Failure::bad_request(format!("{name} must be between 1 and {max}, got {given}")))
}
