//! What is computed on a state and changes nothing: why a job does not run everywhere, what a node has for it, and what
//! running one would do.

use std::sync::Arc;

use axum::response::Response;
use model::JobKey;
use server_core::authorize::Object;
use server_core::dry_run::{diff, dry_run, registered};
use server_core::why;

use super::propose::{computed, newest};
use super::view::plan::PlanView;
use super::view::why::WhyView;
use super::view::why_node::{JobOnNodeView, NodeAloneView};
use super::{document, find};
use crate::http::Api;
use crate::http::call::Call;
use crate::http::failure::Failure;
use crate::http::read::{Content, Found, Read};
use crate::http::reply::{json, json_bytes};

/// `GET /v1/job/{id}/why`. It depends on everything that is placed anywhere, so it is as new as the state.
pub(super) fn why<'a>(read: &'a Read<'a>) -> Result<Found<'a>, Failure> {
    let record = find::job(read.state, read.call)?;
    let why = why::why(read.state, &record.key).ok_or_else(|| Failure::not_found("job not found"))?;
    Ok(Found::written(read.state.index(), move || {
        let view = WhyView::of(&why, |job| read.call.gate.sees(Object::Job(job)));
        Ok(Content { json: json_bytes(read.call, &view)?, next_token: None })
    }))
}

/// `GET /v1/node/{id}/why`, with `job` for one job: as new as the state too.
pub(super) fn why_node<'a>(read: &'a Read<'a>) -> Result<Found<'a>, Failure> {
    let node = find::node(read.state, read.call)?;
    let sees = |job: &JobKey| read.call.gate.sees(Object::Job(job));
    let Some(job) = read.call.query.text("job") else {
        let found = why::node_alone(read.state, node.id).ok_or_else(|| Failure::not_found("node not found"))?;
        return Ok(Found::written(read.state.index(), move || {
            Ok(Content { json: json_bytes(read.call, &NodeAloneView::of(&found, sees))?, next_token: None })
        }));
    };
    let key = JobKey::new(read.call.namespace(), job);
    read.call.gate.check(Object::Job(&key))?;
    let found = why::on_node(read.state, node.id, &key).ok_or_else(|| Failure::not_found("job not found"))?;
    Ok(Found::written(read.state.index(), move || {
        Ok(Content { json: json_bytes(read.call, &JobOnNodeView::of(&found, sees))?, next_token: None })
    }))
}

/// `PUT /v1/node/{id}/why`: the same for a job that is not run, or not as it stands in the body.
pub(super) async fn why_node_for(api: Arc<Api>, call: Arc<Call>) -> Result<Response, Failure> {
    let mut body = call.fields()?;
    let (job, _) = document::accepted(document::of_request(&api, &call, &mut body)?)?;
    let key = job.key();
    call.gate.check(Object::Job(&key))?;
    let state = newest(&api).await?;
    let node = find::node(&state, &call)?.id;
    let tried = registered(&state, &Arc::new(job), api.config.clock.now()).map_err(Failure::bad_request)?;
    let found = why::on_node(&tried, node, &key).ok_or_else(|| Failure::not_found("job not found"))?;
    json(&call, &JobOnNodeView::of(&found, |job| call.gate.sees(Object::Job(job))))
}

/// `PUT /v1/job/{id}/plan`.
pub(super) async fn plan(api: Arc<Api>, call: Arc<Call>) -> Result<Response, Failure> {
    let mut body = call.fields()?;
    let with_diff = body.flag("Diff")?;
    let (job, warnings) = document::accepted(document::of_request(&api, &call, &mut body)?)?;
    if *job.id != *call.parameter("id") {
        return Err(Failure::bad_request("Job ID does not match"));
    }
    let key = job.key();
    call.gate.check(Object::Job(&key))?;
    let state = newest(&api).await?;
    let job = Arc::new(job);
    let (now, asked, copy) = (api.config.clock.now(), job.clone(), state.clone());
    let run = computed(&api, move || dry_run(&copy, &asked, now)).await?;
    let before = state.job(&key).filter(|record| !record.stop).map(|record| record.current().job.clone());
    let difference = with_diff.then(|| diff(before.as_deref(), &job));
    json(&call, &PlanView::of(&state, &run, difference, &warnings, |job| call.gate.sees(Object::Job(job))))
}
