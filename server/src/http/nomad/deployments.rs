//! Deployments: listed, shown, steered.

use std::sync::Arc;

use axum::response::Response;
use model::{AllocationId, DeploymentStatus};
use serde_json::json;
use server_core::apply::Accepted;
use server_core::command::Command;
use server_core::state::State;

use super::find;
use super::job::{allocation_row, deployment_row};
use super::propose::{evaluated, newest, propose};
use super::view::allocation::AllocationStub;
use super::view::deployment::DeploymentView;
use crate::http::Api;
use crate::http::body::Fields;
use crate::http::call::Call;
use crate::http::failure::Failure;
use crate::http::listing::list as list_rows;
use crate::http::read::{Found, Read};

/// `GET /v1/deployments`.
pub(super) fn list<'a>(read: &'a Read<'a>) -> Result<Found<'a>, Failure> {
    let namespaces = read.call.namespaces();
    let wanted = read.state.deployments().filter(move |known| namespaces.hold(&known.job.namespace));
    let index = read.state.indexes().deployments;
    list_rows(read, index, wanted.map(|known| deployment_row(known)), |known| DeploymentView::of(read.state, known))
}

/// `GET /v1/deployment/{id}`.
pub(super) fn get<'a>(read: &'a Read<'a>) -> Result<Found<'a>, Failure> {
    let known = find::deployment(read.state, read.call)?;
    Ok(Found::one(read, known.modify_index, move || DeploymentView::of(read.state, known)))
}

/// `GET /v1/deployment/allocations/{id}`.
pub(super) fn allocations<'a>(read: &'a Read<'a>) -> Result<Found<'a>, Failure> {
    let known = find::deployment(read.state, read.call)?;
    let own = || read.state.allocations_of_job(&known.job).filter(|each| each.deployment == Some(known.id));
    let index = own().map(|allocation| allocation.modify_index).fold(known.create_index, u64::max);
    let rows: Vec<_> = own().map(|allocation| allocation_row(allocation)).collect();
    list_rows(read, index, rows.into_iter(), |known| AllocationStub::of(read.state, known, false, true))
}

/// `PUT /v1/deployment/fail/{id}`: goes back to the newest stable version where a group says `auto_revert`.
pub(super) async fn fail(api: Arc<Api>, call: Arc<Call>) -> Result<Response, Failure> {
    let state = newest(&api).await?;
    let deployment = find::deployment(&state, &call)?;
    let reverts = deployment.groups.values().any(|group| group.auto_revert);
    let stable = state.job(&deployment.job).and_then(|record| record.stable_before(deployment.job_version));
    let revert_to = stable.filter(|_| reverts).map(|version| version.version);
    let mut description = "Deployment marked as failed".to_string();
    if let Some(version) = revert_to {
        description.push_str(&format!(" - rolling back to job version {version}"));
    }
    let command = Command::EndDeployment {
        deployment: deployment.id,
        status: DeploymentStatus::Failed,
        description,
        revert_to,
        term: None,
    };
    let done = propose(&api, &call, command).await?;
    answer(&call, &done, revert_to)
}

/// `PUT /v1/deployment/pause/{id}`.
pub(super) async fn pause(api: Arc<Api>, call: Arc<Call>) -> Result<Response, Failure> {
    let deployment = find::deployment(&*newest(&api).await?, &call)?.id;
    let pause = call.fields()?.flag("Pause")?;
    let done = propose(&api, &call, Command::PauseDeployment { deployment, pause }).await?;
    answer(&call, &done, None)
}

/// `PUT /v1/deployment/promote/{id}`.
pub(super) async fn promote(api: Arc<Api>, call: Arc<Call>) -> Result<Response, Failure> {
    let deployment = find::deployment(&*newest(&api).await?, &call)?.id;
    let body = call.fields_if_any()?;
    let named = body.texts("Groups")?;
    let groups = if body.flag("All")? || named.is_empty() { None } else { Some(named) };
    let done = propose(&api, &call, Command::PromoteDeployment { deployment, groups, term: None }).await?;
    answer(&call, &done, None)
}

/// `PUT /v1/deployment/allocation-health/{id}`.
pub(super) async fn set_health(api: Arc<Api>, call: Arc<Call>) -> Result<Response, Failure> {
    let state = newest(&api).await?;
    let deployment = find::deployment(&state, &call)?.id;
    let body = call.fields()?;
    let healthy = ids(&state, &body, "HealthyAllocationIDs")?;
    let unhealthy = ids(&state, &body, "UnhealthyAllocationIDs")?;
    if healthy.is_empty() && unhealthy.is_empty() {
        return Err(Failure::bad_request("must specify at least one healthy or unhealthy allocation ID"));
    }
    let done =
        propose(&api, &call, Command::SetAllocationHealth { deployment, healthy, unhealthy, term: None }).await?;
    answer(&call, &done, None)
}

fn ids(state: &State, body: &Fields, name: &str) -> Result<Vec<AllocationId>, Failure> {
    let id = |text: &String| {
        let id: AllocationId = text.parse().map_err(|error| Failure::bad_request(format!("{name}: {error}")))?;
        state.allocation(id).map(|known| known.id).ok_or_else(|| Failure::not_found(format!("unknown alloc {id}")))
    };
    body.texts(name)?.iter().map(id).collect()
}

fn answer(call: &Call, done: &Accepted, reverted: Option<u64>) -> Result<Response, Failure> {
    evaluated(call, done, json!({ "DeploymentModifyIndex": done.index, "RevertedJobVersion": reverted }))
}
