//! One job: shown, stopped, reverted, evaluated, with its versions and everything that belongs to it.

use std::sync::Arc;

use axum::response::Response;
use model::{Allocation, Deployment, Evaluation, Index};
use serde_json::json;
use server_core::authorize::Object;
use server_core::command::Command;
use server_core::dry_run::diff;

use super::find;
use super::propose::{evaluated, newest, propose};
use super::view::allocation::AllocationStub;
use super::view::deployment::DeploymentView;
use super::view::evaluation::EvaluationView;
use super::view::job::JobView;
use super::view::service::{Registration, passing};
use super::view::summary::{self, JobSummary};
use crate::http::Api;
use crate::http::call::Call;
use crate::http::failure::Failure;
use crate::http::listing::{Row, by_age, list};
use crate::http::read::{Found, Read};
use crate::http::reply::changed;

/// `GET /v1/job/{id}`.
pub(super) fn get<'a>(read: &'a Read<'a>) -> Result<Found<'a>, Failure> {
    let record = find::job(read.state, read.call)?;
    let index = summary::index(read.state, record);
    Ok(Found::one(read, index, move || JobView::current(read.state, record)))
}

/// `GET /v1/job/{id}/versions`, with `diffs` also what each changed against the one before it: one fewer than versions,
/// since nothing is known of what came before the oldest.
pub(super) fn versions<'a>(read: &'a Read<'a>) -> Result<Found<'a>, Failure> {
    let record = find::job(read.state, read.call)?;
    let with_diffs = read.call.query.flag("diffs")?;
    Ok(Found::one(read, record.modify_index, move || {
        let view = |version| JobView::version(read.state, record, version);
        let versions: Vec<_> = record.versions.iter().map(|version| view(version)).collect();
        let pairs = record.versions.iter().zip(record.versions.iter().skip(1));
        let diffs = with_diffs.then(|| pairs.map(|(new, old)| diff(Some(&old.job), &new.job)).collect::<Vec<_>>());
        json!({ "Versions": versions, "Diffs": diffs })
    }))
}

/// `GET /v1/job/{id}/summary`.
pub(super) fn summary<'a>(read: &'a Read<'a>) -> Result<Found<'a>, Failure> {
    let record = find::job(read.state, read.call)?;
    Ok(Found::one(read, summary::index(read.state, record), move || JobSummary::of(read.state, record)))
}

/// `GET /v1/job/{id}/allocations`. A purged job's are shown for as long as they are known.
pub(super) fn allocations<'a>(read: &'a Read<'a>) -> Result<Found<'a>, Failure> {
    let key = find::job_key(read.call)?;
    let with_resources = read.call.query.flag("resources")?;
    let all = || read.state.allocations_of_job(&key);
    let base = read.state.job(&key).map_or(0, |record| record.create_index);
    let index = all().map(|known| known.modify_index).fold(base, Index::max);
    let rows: Vec<Row<'a, Allocation>> = all().map(|known| allocation_row(known)).collect();
    list(read, index, rows.into_iter(), move |known| AllocationStub::of(read.state, known, with_resources, true))
}

/// An allocation in a list.
pub(super) fn allocation_row(allocation: &Allocation) -> Row<'_, Allocation> {
    let id = allocation.id.to_string();
    Row { order: by_age(allocation.create_index, &id), id, object: Object::Job(&allocation.job), value: allocation }
}

/// `GET /v1/job/{id}/evaluations`.
pub(super) fn evaluations<'a>(read: &'a Read<'a>) -> Result<Found<'a>, Failure> {
    let key = find::job_key(read.call)?;
    let base = read.state.job(&key).map_or(0, |record| record.create_index);
    let index = read.state.evaluations_of_job(&key).map(|known| known.modify_index).fold(base, Index::max);
    let rows: Vec<_> = read.state.evaluations_of_job(&key).map(|known| evaluation_row(known)).collect();
    list(read, index, rows.into_iter(), EvaluationView::of)
}

/// An evaluation in a list.
pub(super) fn evaluation_row(evaluation: &Evaluation) -> Row<'_, Evaluation> {
    let id = evaluation.id.to_string();
    Row { order: by_age(evaluation.create_index, &id), id, object: Object::Job(&evaluation.job), value: evaluation }
}

/// `GET /v1/job/{id}/deployments`.
pub(super) fn deployments<'a>(read: &'a Read<'a>) -> Result<Found<'a>, Failure> {
    let record = find::job(read.state, read.call)?;
    let all = || read.state.deployments_of_job(&record.key);
    let index = all().map(|known| known.modify_index).fold(record.create_index, Index::max);
    list(read, index, all().map(|known| deployment_row(known)), |known| DeploymentView::of(read.state, known))
}

/// A deployment in a list.
pub(super) fn deployment_row(deployment: &Deployment) -> Row<'_, Deployment> {
    let id = deployment.id.to_string();
    Row { order: by_age(deployment.create_index, &id), id, object: Object::Job(&deployment.job), value: deployment }
}

/// `GET /v1/job/{id}/deployment`: the newest, or null.
pub(super) fn deployment<'a>(read: &'a Read<'a>) -> Result<Found<'a>, Failure> {
    let record = find::job(read.state, read.call)?;
    let latest = read.state.latest_deployment(&record.key);
    let index = latest.map_or(record.create_index, |known| known.modify_index);
    Ok(Found::one(read, index, move || latest.map(|known| DeploymentView::of(read.state, known))))
}

/// `GET /v1/job/{id}/services`.
pub(super) fn services<'a>(read: &'a Read<'a>) -> Result<Found<'a>, Failure> {
    let record = find::job(read.state, read.call)?;
    let own = read.state.services().filter(|((namespace, _), _)| *namespace == record.key.namespace);
    let own: Vec<_> = own.filter(|(_, row)| row.instances.values().any(|each| each.job == record.key)).collect();
    let index = own.iter().map(|(_, row)| row.modify_index).fold(record.create_index, Index::max);
    Ok(Found::one(read, index, move || {
        let passing = own.iter().flat_map(|(_, row)| passing(row).map(|instance| (instance, row.modify_index)));
        let own = passing.filter(|(instance, _)| instance.job == record.key);
        own.map(|(instance, index)| Registration::of(read.state, instance, index)).collect::<Vec<_>>()
    }))
}

/// `DELETE /v1/job/{id}`.
pub(super) async fn deregister(api: Arc<Api>, call: Arc<Call>) -> Result<Response, Failure> {
    let job = find::job_key(&call)?;
    let purge = call.query.flag("purge")?;
    let done = propose(&api, &call, Command::DeregisterJob { job, purge }).await?;
    evaluated(&call, &done, json!({ "JobModifyIndex": done.job_modify_index.unwrap_or(done.index) }))
}

/// `PUT /v1/job/{id}/revert`.
pub(super) async fn revert(api: Arc<Api>, call: Arc<Call>) -> Result<Response, Failure> {
    let job = find::job_key(&call)?;
    let body = call.fields()?;
    let version = body.number("JobVersion")?.ok_or_else(|| Failure::bad_request("JobVersion must be specified"))?;
    let check_version = body.number("EnforcePriorVersion")?;
    let done = propose(&api, &call, Command::RevertJob { job, version, check_version }).await?;
    evaluated(&call, &done, json!({ "JobModifyIndex": done.job_modify_index.unwrap_or(done.index), "Warnings": "" }))
}

/// `PUT /v1/job/{id}/stable`.
pub(super) async fn set_stable(api: Arc<Api>, call: Arc<Call>) -> Result<Response, Failure> {
    let job = find::job_key(&call)?;
    let body = call.fields()?;
    let version = body.number("JobVersion")?.ok_or_else(|| Failure::bad_request("JobVersion must be specified"))?;
    let stable = body.flag("Stable")?;
    let done = propose(&api, &call, Command::SetJobStability { job, version, stable }).await?;
    changed(&call, done.index, &json!({ "Index": done.index }))
}

/// `PUT /v1/job/{id}/evaluate`, with `EvalOptions.ForceReschedule` for what failed and waits or is given up.
pub(super) async fn evaluate(api: Arc<Api>, call: Arc<Call>) -> Result<Response, Failure> {
    let job = find::job_key(&call)?;
    let index = newest(&api).await?.job(&job).map_or(0, |record| record.job_modify_index);
    let options = call.fields_if_any()?.fields("EvalOptions")?;
    let force_reschedule = options.map_or(Ok(false), |options| options.flag("ForceReschedule"))?;
    let done = propose(&api, &call, Command::EvaluateJob { job, force_reschedule }).await?;
    evaluated(&call, &done, json!({ "JobModifyIndex": index }))
}
