//! Deployments by the beginning of their id, or by the job whose newest they are.

use super::{Found, looks_like_id, pick};
use crate::api::Deployment;
use crate::failure::Failure;
use crate::http::Call;
use crate::session::Session;
use crate::show::text;

/// The deployment that is meant.
pub async fn deployment(session: &Session, given: &str) -> Result<Deployment, Failure> {
    let deployments: Vec<Deployment> = session.client.read(Call::get("/v1/deployments")).await?;
    let newest_of_job = deployments.iter().filter(|one| one.job_id == given).max_by_key(|one| one.create_index);
    if let Some(newest) = newest_of_job {
        return Ok(newest.clone());
    }
    let loose = |one: &Deployment| looks_like_id(given) && one.id.starts_with(given);
    match pick(deployments, |one| one.id == given, loose) {
        Found::One(deployment) => Ok(deployment),
        Found::Several(several) => {
            let describe = |one: &Deployment| {
                format!("{} of {} v{} ({})", text::short(&one.id), one.job_id, one.job_version, one.status)
            };
            Err(Failure::ambiguous("deployment", given, several.iter().map(describe)))
        }
        Found::None => Err(Failure::new(format!("deployment `{given}` not found"))
            .hint("give a job's name for its newest one; `sched deployment list` lists them all")),
    }
}
