//! Jobs by id or its beginning.

use super::{Found, pick};
use crate::api::{JobStub, decode};
use crate::failure::Failure;
use crate::http::Call;
use crate::session::Session;
use crate::show::text;

/// The job whose id is, or alone begins with, what was given.
pub async fn job(session: &Session, given: &str) -> Result<JobStub, Failure> {
    let answer = session.client.call(Call::get("/v1/jobs").query("prefix", given)).await?;
    let jobs: Vec<JobStub> = decode(&answer.value)?;
    match pick(jobs, |job| job.id == given, |job| job.id.starts_with(given)) {
        Found::One(job) => Ok(job),
        Found::Several(jobs) => {
            Err(Failure::ambiguous("job", given, jobs.into_iter().map(|job| describe(session, &job))))
        }
        Found::None => Err(unknown(session, given).await?),
    }
}

/// The job that is meant, and the group after a slash.
pub async fn job_and_group(session: &Session, given: &str) -> Result<(JobStub, Option<String>), Failure> {
    // A job's id may hold a slash itself: the whole text is tried first.
    match (job(session, given).await, given.split_once('/')) {
        (Ok(stub), _) => Ok((stub, None)),
        (Err(_), Some((name, group))) => Ok((job(session, name).await?, Some(group.to_owned()))),
        (Err(failure), None) => Err(failure),
    }
}

fn describe(session: &Session, job: &JobStub) -> String {
    let namespace =
        if session.client.namespace() == Some("*") { format!(" in {}", job.namespace) } else { String::new() };
    format!("{}{namespace} ({}, {})", job.id, job.kind, job.status)
}

async fn unknown(session: &Session, given: &str) -> Result<Failure, Failure> {
    let jobs: Vec<JobStub> = session.client.read(Call::get("/v1/jobs")).await?;
    let failure = Failure::new(format!("job `{given}` not found"));
    let failure = match session.client.namespace() {
        Some(namespace) if namespace != "*" => failure.at(format!("namespace {namespace}")),
        _ => failure,
    };
    Ok(match text::nearest(given, jobs.iter().map(|job| job.id.as_str())) {
        Some(name) => failure.hint(format!("did you mean `{name}`?")),
        None => failure.hint("`sched job status` lists the jobs"),
    })
}
