//! The job's document in a request: read, completed, checked, and within the limits.

use jobspecs::ALL_AT_ONCE_INSTANCES_MAX;
use model::Job;
use serde_json::Value;
use server_core::limits::{JOB_DOCUMENT_BYTES_MAX, PLAN_INSTANCES_MAX};

use crate::http::Api;
use crate::http::body::Fields;
use crate::http::call::Call;
use crate::http::failure::Failure;

// What is placed all at once is decided by one plan.
const _: () = assert!(ALL_AT_ONCE_INSTANCES_MAX <= PLAN_INSTANCES_MAX as u64);

/// A document that was read, with what its author should know.
pub(super) struct Document {
    /// The job.
    pub(super) job: Job,
    /// A sentence each.
    pub(super) warnings: Vec<String>,
    /// What is wrong, a sentence each; a job with any is not accepted.
    pub(super) errors: Vec<String>,
}

/// The document under `Job` of a request's body.
pub(super) fn of_request(api: &Api, call: &Call, body: &mut Fields) -> Result<Document, Failure> {
    let value = body.take("Job").ok_or_else(|| Failure::bad_request("Job must be specified"))?;
    let Value::Object(mut object) = value else { return Err(Failure::bad_request("Job must be an object")) };
    for (name, default) in [("Namespace", call.namespace()), ("Region", api.config.region.as_str())] {
        let known = object.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        if known.is_none_or(|(_, value)| value.is_null() || value == "") {
            object.retain(|key, _| !key.eq_ignore_ascii_case(name));
            object.insert(name.into(), default.into());
        }
    }
    read(api, Value::Object(object))
}

/// The document that passed every check, or all that is wrong with it.
pub(super) fn accepted(document: Document) -> Result<(Job, Vec<String>), Failure> {
    if document.errors.is_empty() {
        return Ok((document.job, document.warnings));
    }
    Err(Failure::bad_request(text_of(&document.errors)))
}

/// All errors as one text; empty for none.
pub(super) fn text_of(errors: &[String]) -> String {
    if errors.is_empty() {
        return String::new();
    }
    let list: Vec<String> = errors.iter().map(|error| format!("* {error}")).collect();
    format!("job validation failed, {} error(s):\n{}", list.len(), list.join("\n"))
}

fn read(api: &Api, value: Value) -> Result<Document, Failure> {
    let (job, warnings) = jobspecs::decode_json(value)
        .map_err(|error| Failure::bad_request(format!("failed to decode the job: {error}")))?;
    let mut errors: Vec<String> = jobspecs::validate(&job).iter().map(located).collect();
    errors.extend(beyond_limits(api, &job));
    Ok(Document { job, warnings: warnings.iter().map(ToString::to_string).collect(), errors })
}

fn located(problem: &jobspecs::Problem) -> String {
    if problem.path.is_empty() { problem.to_string() } else { format!("{}: {problem}", problem.path) }
}

fn beyond_limits(api: &Api, job: &Job) -> Vec<String> {
    let mut errors = Vec::new();
    if job.region != api.config.region {
        errors.push(format!("job's region {:?} is not served here; this is {:?}", job.region, api.config.region));
    }
    let bytes = serde_json::to_vec(job).map_or(usize::MAX, |document| document.len());
    if bytes > JOB_DOCUMENT_BYTES_MAX {
        errors.push(format!("the document has {bytes} bytes, {JOB_DOCUMENT_BYTES_MAX} are allowed"));
    }
    errors
}
