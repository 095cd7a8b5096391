//! Finds objects by their id, or by the beginning of it where that fits one only.

use std::fmt::Display;
use std::str::FromStr;

use model::{Allocation, Deployment, DynamicVolume, Evaluation, JobKey, Node, VolumeClaim};
use server_core::authorize::Object;
use server_core::state::{JobRecord, State};

use crate::http::call::Call;
use crate::http::failure::Failure;
use crate::http::limits::{CANDIDATES_MAX, ID_PREFIX_MIN};

/// The job that the path names.
pub(super) fn job<'a>(state: &'a State, call: &Call) -> Result<&'a JobRecord, Failure> {
    let key = job_key(call)?;
    state.job(&key).map(|record| &**record).ok_or_else(|| Failure::not_found("job not found"))
}

/// The key of the job that the path names, which the caller may see.
pub(super) fn job_key(call: &Call) -> Result<JobKey, Failure> {
    let key = JobKey::new(call.namespace(), call.parameter("id"));
    call.gate.check(Object::Job(&key))?;
    Ok(key)
}

/// The allocation that the path names.
pub(super) fn allocation<'a>(state: &'a State, call: &Call, unknown: &str) -> Result<&'a Allocation, Failure> {
    let all = || state.allocations().map(|known| (known.id, known.name(), &**known));
    let found = by_id(call, unknown, |id| state.allocation(id).map(|known| &**known), all)?;
    call.gate.check(Object::Job(&found.job))?;
    Ok(found)
}

/// The node that the path names.
pub(super) fn node<'a>(state: &'a State, call: &Call) -> Result<&'a Node, Failure> {
    let all = || state.nodes().map(|known| (known.id, known.name.clone(), &**known));
    let found = by_id(call, "node not found", |id| state.node(id).map(|known| &**known), all)?;
    call.gate.check(Object::Node(found.id))?;
    Ok(found)
}

/// The evaluation that the path names.
pub(super) fn evaluation<'a>(state: &'a State, call: &Call) -> Result<&'a Evaluation, Failure> {
    let all = || state.evaluations().map(|known| (known.id, known.job.id.to_string(), &**known));
    let found = by_id(call, "eval not found", |id| state.evaluation(id).map(|known| &**known), all)?;
    call.gate.check(Object::Job(&found.job))?;
    Ok(found)
}

/// The deployment that the path names.
pub(super) fn deployment<'a>(state: &'a State, call: &Call) -> Result<&'a Deployment, Failure> {
    let all = || state.deployments().map(|known| (known.id, known.job.id.to_string(), &**known));
    let found = by_id(call, "deployment not found", |id| state.deployment(id).map(|known| &**known), all)?;
    call.gate.check(Object::Job(&found.job))?;
    Ok(found)
}

/// The volume that the path names.
pub(super) fn volume<'a>(state: &'a State, call: &Call) -> Result<&'a DynamicVolume, Failure> {
    let all = || state.volumes().map(|known| (known.id, known.name.clone(), &**known));
    let found = by_id(call, "volume not found", |id| state.volume(id).map(|known| &**known), all)?;
    call.gate.check(Object::Namespace(&found.namespace))?;
    Ok(found)
}

/// The claim to a volume that the path names.
pub(super) fn volume_claim<'a>(state: &'a State, call: &Call) -> Result<&'a VolumeClaim, Failure> {
    let all = || state.volume_claims().map(|known| (known.id, known.key.source.clone(), &**known));
    let found = by_id(call, "volume claim not found", |id| state.volume_claim_of_id(id).map(|known| &**known), all)?;
    call.gate.check(Object::Job(&found.key.job))?;
    Ok(found)
}

fn by_id<'a, T, Id: FromStr + Display, I: Iterator<Item = (Id, String, &'a T)>>(
    call: &Call,
    unknown: &str,
    get: impl FnOnce(Id) -> Option<&'a T>,
    all: impl FnOnce() -> I,
) -> Result<&'a T, Failure> {
    let text = call.parameter("id");
    if let Ok(id) = text.parse() {
        return get(id).ok_or_else(|| Failure::not_found(format!("{unknown}: {text}")));
    }
    let is_beginning = (ID_PREFIX_MIN..36).contains(&text.len())
        && text.chars().all(|digit| digit == '-' || digit.is_ascii_hexdigit());
    if !is_beginning {
        let hint = format!("UUID must be 36 characters, or at least {ID_PREFIX_MIN} of its first ones");
        return Err(Failure::bad_request(format!("{hint}; got {text:?}")));
    }
    let beginning = text.to_ascii_lowercase();
    let mut matches: Vec<_> = all()
        .map(|(id, name, value)| (id.to_string(), name, value))
        .filter(|(id, ..)| id.starts_with(&beginning))
        .collect();
    match matches.len() {
        0 => Err(Failure::not_found(format!("{unknown}: no id begins with {text:?}"))),
        1 => Ok(matches.remove(0).2),
        many => {
            let named = matches.iter().take(CANDIDATES_MAX).map(|(id, name, _)| format!("{id} ({name})"));
            let named: Vec<_> = named.collect();
            let more = if many > named.len() { ", …" } else { "" };
            Err(Failure::bad_request(format!(
                "{text:?} is ambiguous, {many} ids begin with it: {}{more}",
                named.join(", ")
            )))
        }
    }
}
