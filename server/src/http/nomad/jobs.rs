//! All jobs: listed, registered, checked.

use std::sync::Arc;

use axum::response::Response;
use jobspecs::{Inputs, Source};
use model::Job;
use serde_json::json;
use server_core::authorize::Object;
use server_core::command::{Command, Submission};
use server_core::state::{JobRecord, State};

use super::propose::{evaluated, newest, propose};
use super::view::job::{JobStatusRow, JobStub};
use super::{document, find};
use crate::http::Api;
use crate::http::body::Fields;
use crate::http::call::Call;
use crate::http::failure::Failure;
use crate::http::listing::{Row, list as list_rows};
use crate::http::read::{Found, Read};
use crate::http::reply::json as reply_json;

/// `GET /v1/jobs`.
pub(super) fn list<'a>(read: &'a Read<'a>) -> Result<Found<'a>, Failure> {
    let with_meta = read.call.query.flag("meta")?;
    list_rows(read, index(read.state), rows(read), move |record| JobStub::of(read.state, record, with_meta))
}

/// `GET /v1/jobs/statuses`.
pub(super) fn statuses<'a>(read: &'a Read<'a>) -> Result<Found<'a>, Failure> {
    let by_change = |mut row: Row<'a, JobRecord>| {
        row.order = format!("{:020}.{}", super::view::summary::index(read.state, row.value), row.order);
        row
    };
    list_rows(read, index(read.state), rows(read).map(by_change), move |record| JobStatusRow::of(read.state, record))
}

/// A job's row shows its status and counts, which allocations and evaluations change as well.
fn index(state: &State) -> u64 {
    let indexes = state.indexes();
    indexes.jobs.max(indexes.allocations).max(indexes.evaluations).max(indexes.deployments)
}

fn rows<'a>(read: &'a Read<'a>) -> impl Iterator<Item = Row<'a, JobRecord>> {
    let namespaces = read.call.namespaces();
    let wanted = read.state.jobs().filter(move |record| namespaces.hold(&record.key.namespace));
    wanted.map(|record| Row {
        order: format!("{}.{}", record.key.namespace, record.key.id),
        id: record.key.id.to_string(),
        object: Object::Job(&record.key),
        value: &**record,
    })
}

/// `POST /v1/jobs/statuses`: the rows of the jobs that the body names.
pub(super) async fn statuses_of(api: Arc<Api>, call: Arc<Call>) -> Result<Response, Failure> {
    let body = call.fields_if_any()?;
    let state = newest(&api).await?;
    let wanted = body.get("Jobs").and_then(|jobs| jobs.as_array()).cloned().unwrap_or_default();
    let keys: Vec<(String, String)> = wanted
        .iter()
        .map(|job| {
            let text = |name: &str| job.get(name).and_then(|value| value.as_str()).unwrap_or_default().to_string();
            (text("Namespace"), text("ID"))
        })
        .collect();
    let is_named = |record: &JobRecord| {
        keys.iter().any(|(namespace, id)| **namespace == *record.key.namespace && **id == *record.key.id)
    };
    let seen = state.jobs().filter(|record| keys.is_empty() || is_named(record));
    let seen = seen.filter(|record| call.gate.sees(Object::Job(&record.key)));
    let rows: Vec<_> = seen.map(|record| JobStatusRow::of(&state, record)).collect();
    reply_json(&call, &rows)
}

/// `PUT /v1/jobs`.
pub(super) async fn register(api: Arc<Api>, call: Arc<Call>) -> Result<Response, Failure> {
    register_document(&api, &call, None).await
}

/// `PUT /v1/job/{id}`: registers under that id.
pub(super) async fn register_under(api: Arc<Api>, call: Arc<Call>) -> Result<Response, Failure> {
    let id = call.parameter("id").to_string();
    register_document(&api, &call, Some(&id)).await
}

async fn register_document(api: &Api, call: &Call, id: Option<&str>) -> Result<Response, Failure> {
    let mut body = call.fields()?;
    let check_index = if body.flag("EnforceIndex")? { Some(body.number("JobModifyIndex")?.unwrap_or(0)) } else { None };
    let preserve_counts = body.flag("PreserveCounts")?;
    let submission = submission(&body)?;
    let (mut job, warnings) = document::accepted(document::of_request(api, call, &mut body)?)?;
    if id.is_some_and(|id| id != job.id) {
        return Err(Failure::bad_request("Job ID does not match name"));
    }
    call.gate.check(Object::Job(&job.key()))?;
    if preserve_counts {
        keep_counts(&*newest(api).await?, &mut job);
    }
    let command = Command::RegisterJob { job: Arc::new(job), check_index, submission };
    let done = propose(api, call, command).await?;
    let index = done.job_modify_index.unwrap_or(done.index);
    evaluated(call, &done, json!({ "JobModifyIndex": index, "Warnings": warnings.join("\n") }))
}

/// Groups that run already keep the counts that they have.
fn keep_counts(state: &State, job: &mut Job) {
    let Some(record) = state.job(&job.key()) else { return };
    for group in &mut job.groups {
        if let Some(known) = record.current().job.group(&group.name) {
            group.count = known.count;
        }
    }
}

fn submission(body: &Fields) -> Result<Option<Arc<Submission>>, Failure> {
    let Some(fields) = body.fields("Submission")? else { return Ok(None) };
    Ok(Some(Arc::new(Submission {
        source: fields.text("Source")?,
        format: fields.text("Format")?,
        variable_flags: fields.map("VariableFlags")?,
        variables: fields.text("Variables")?,
    })))
}

/// `PUT /v1/jobs/parse`: a jobspec becomes a document, or all that is wrong with it.
pub(super) async fn parse(api: Arc<Api>, call: Arc<Call>) -> Result<Response, Failure> {
    let body = call.fields()?;
    let text = body.text("JobHCL")?;
    if text.is_empty() {
        return Err(Failure::bad_request("Job spec is empty"));
    }
    let var_files = [("Variables".to_string(), body.text("Variables")?)];
    let random = |bytes: &mut [u8]| api.config.random.fill(bytes);
    let namespace = Some(call.namespace());
    let inputs = Inputs { namespace, var_files: &var_files, random: Some(&random), ..Inputs::default() };
    let source = Source::new("jobspec.hcl", &text);
    let parsed = jobspecs::parse(&source, &inputs);
    let job = parsed.map_err(|wrong| Failure::bad_request(wrong.render(false)))?.job;
    reply_json(&call, &job)
}

/// `PUT /v1/validate/job`.
pub(super) async fn validate(api: Arc<Api>, call: Arc<Call>) -> Result<Response, Failure> {
    let checked = document::of_request(&api, &call, &mut call.fields()?)?;
    let error = document::text_of(&checked.errors);
    let answer = json!({
        "DriverConfigValidated": true,
        "ValidationErrors": checked.errors,
        "Error": error,
        "Warnings": checked.warnings.join("\n"),
    });
    reply_json(&call, &answer)
}

/// `GET /v1/job/{id}/submission`.
pub(super) fn submission_of<'a>(read: &'a Read<'a>) -> Result<Found<'a>, Failure> {
    let record = find::job(read.state, read.call)?;
    let wanted = read.call.query.number("version")?.unwrap_or(record.current().version);
    let version = record.version(wanted).ok_or_else(|| Failure::not_found("job version not found"))?;
    let submission = version.submission.as_ref().ok_or_else(|| Failure::not_found("job source not found"))?;
    Ok(Found::one(read, version.index, move || {
        json!({
            "Source": submission.source,
            "Format": submission.format,
            "VariableFlags": submission.variable_flags,
            "Variables": submission.variables,
            "Namespace": record.key.namespace,
            "JobID": record.key.id,
            "Version": version.version,
            "JobModifyIndex": version.index,
        })
    }))
}
