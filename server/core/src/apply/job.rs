//! Jobs: registered, stopped, reverted, forgotten.

use std::sync::Arc;

use model::{Allocation, DeploymentStatus, EvaluationStatus, Index, Job, JobKey, Trigger};

use super::{Accepted, AtWork, Rejection, Wish, allocation, deployment};
use crate::command::Submission;
use crate::limits::JOB_VERSIONS_KEPT;
use crate::schedule::shall_come_back;
use crate::state::{Change, JobRecord, JobVersion, State};

/// Registers a job or a new version of it. The same document again changes no version, and is evaluated all the same.
pub(super) fn register(
    state: &mut State,
    work: &mut AtWork,
    job: &Arc<Job>,
    check_index: Option<Index>,
    submission: Option<Arc<Submission>>,
) -> Result<Accepted, Rejection> {
    let key = job.key();
    let known = state.jobs.get(&key).cloned();
    if let Some(wanted) = check_index {
        let found = known.as_ref().map(|record| record.job_modify_index);
        if found.unwrap_or(0) != wanted {
            return Err(Rejection::CheckIndex { wanted, found });
        }
    }
    let mut record = match known {
        Some(record) => (*record).clone(),
        None => JobRecord {
            key: key.clone(),
            versions: Vec::new(),
            stop: false,
            stopped_at: None,
            create_index: work.index,
            modify_index: 0,
            job_modify_index: 0,
            plans: 0,
        },
    };
    let unchanged = !record.stop && record.versions.first().is_some_and(|current| current.job == *job);
    if !unchanged {
        let version = record.versions.first().map_or(0, |current| current.version + 1);
        let version = JobVersion {
            job: job.clone(),
            version,
            stable: false,
            submitted_at: work.at,
            submission,
            index: work.index,
        };
        record.versions.insert(0, Arc::new(version));
        record.stop = false;
        record.stopped_at = None;
        record.job_modify_index = work.index;
        forget_old_versions(state, &mut record);
    }
    let accepted = Accepted {
        job_modify_index: Some(record.job_modify_index),
        job_version: Some(record.current().version),
        ..Accepted::default()
    };
    save(state, work, record);
    supersede_blocked(state, work, &key);
    let wish = Wish::of(state, &key, Trigger::JobRegister);
    work.evaluate(state, wish);
    Ok(accepted)
}

/// Stops a job, and with `purge` forgets it as soon as nothing of it is left.
pub(super) fn deregister(
    state: &mut State,
    work: &mut AtWork,
    key: &JobKey,
    purge: bool,
) -> Result<Accepted, Rejection> {
    let mut record = JobRecord::clone(state.jobs.get(key).ok_or(Rejection::NoSuchJob)?);
    record.stop = true;
    record.stopped_at = Some(work.at);
    record.job_modify_index = work.index;
    let accepted = Accepted { job_modify_index: Some(work.index), ..Accepted::default() };
    let wish = Wish::of(state, key, Trigger::JobDeregister);
    save(state, work, record);
    supersede_blocked(state, work, key);
    if let Some(active) = state.latest_deployment(key).filter(|known| known.status.is_active()).cloned() {
        deployment::finish(state, work, &active, DeploymentStatus::Cancelled, "Cancelled because job is stopped");
    }
    work.evaluate(state, wish);
    if purge {
        // The document must stay for as long as an agent still runs it: collection takes it once nothing is held.
        state.purged.insert(key.clone(), ());
        forget_if_purged(state, work, key);
    }
    Ok(accepted)
}

/// Registers an older version of a job anew.
pub(super) fn revert(
    state: &mut State,
    work: &mut AtWork,
    key: &JobKey,
    version: u64,
    check_version: Option<u64>,
) -> Result<Accepted, Rejection> {
    let record = state.jobs.get(key).ok_or(Rejection::NoSuchJob)?;
    let current = record.current().version;
    if let Some(wanted) = check_version.filter(|wanted| *wanted != current) {
        return Err(Rejection::CheckVersion { wanted, found: current });
    }
    if version == current && !record.stop {
        return Err(Rejection::AlreadyCurrent);
    }
    let old = record.version(version).ok_or(Rejection::NoSuchVersion { version })?.clone();
    register(state, work, &old.job, None, old.submission.clone())
}

/// Marks a version as one that a failed deployment may go back to.
pub(super) fn set_stability(
    state: &mut State,
    key: &JobKey,
    version: u64,
    stable: bool,
) -> Result<Accepted, Rejection> {
    let mut record = JobRecord::clone(state.jobs.get(key).ok_or(Rejection::NoSuchJob)?);
    let index = state.index;
    let at = record.versions.iter().position(|known| known.version == version);
    let at = at.ok_or(Rejection::NoSuchVersion { version })?;
    Arc::make_mut(&mut record.versions[at]).stable = stable;
    record.modify_index = index;
    state.indexes.jobs = index;
    state.changes.push(Change::Job { key: key.clone(), gone: false });
    state.jobs.insert(key.clone(), Arc::new(record));
    Ok(Accepted { job_version: Some(version), ..Accepted::default() })
}

/// Evaluates a job again, and with `force_reschedule` places anew what failed, whatever its group's policy says.
pub(super) fn evaluate(
    state: &mut State,
    work: &mut AtWork,
    key: &JobKey,
    force_reschedule: bool,
) -> Result<Accepted, Rejection> {
    let kind = state.jobs.get(key).ok_or(Rejection::NoSuchJob)?.current().job.kind;
    let has_failed = |known: &&Arc<Allocation>| shall_come_back(known, kind) && known.ties().next.is_none();
    let failed = state.allocations_of_job(key).filter(|_| force_reschedule).filter(has_failed).cloned();
    for failed in failed.collect::<Vec<_>>() {
        allocation::save(state, work, Allocation { forced: true, ..(*failed).clone() }, false);
    }
    let wish = Wish::of(state, key, Trigger::Requested);
    work.evaluate(state, wish);
    Ok(Accepted::default())
}

/// Forgets a purged job once nothing of it is held any more.
pub(super) fn forget_if_purged(state: &mut State, work: &AtWork, key: &JobKey) {
    if !state.purged.contains(key) || state.allocations_of_job(key).any(|allocation| allocation.holds()) {
        return;
    }
    state.purged.remove(key);
    if state.jobs.get(key).is_some_and(|record| record.stop) {
        forget(state, work.index, key);
    }
}

/// Forgets a job with everything of it that is over.
pub(super) fn forget(state: &mut State, index: Index, key: &JobKey) {
    let allocations: Vec<_> = state.allocations_of_job(key).map(|allocation| allocation.id).collect();
    for id in allocations {
        state.remove_allocation(id);
    }
    let deployments: Vec<_> = state.deployments_of_job(key).map(|known| known.id).collect();
    for id in deployments {
        state.remove_deployment(id);
    }
    super::volume::drop_claims_of(state, index, key);
    state.jobs.remove(key);
    state.indexes.jobs = index;
    state.changes.push(Change::Job { key: key.clone(), gone: true });
}

/// Cancels a job's blocked evaluation: a newer one stands for it.
fn supersede_blocked(state: &mut State, work: &AtWork, key: &JobKey) {
    let blocked: Vec<_> = state
        .evaluations_of_job(key)
        .filter(|evaluation| evaluation.status == EvaluationStatus::Blocked)
        .cloned()
        .collect();
    for evaluation in blocked {
        let mut evaluation = (*evaluation).clone();
        evaluation.status = EvaluationStatus::Canceled;
        evaluation.description = "superseded by a newer evaluation of the job".into();
        work.save_evaluation(state, evaluation);
    }
}

/// Drops versions beyond the limit that nothing runs and nobody may go back to.
fn forget_old_versions(state: &State, record: &mut JobRecord) {
    if record.versions.len() <= JOB_VERSIONS_KEPT {
        return;
    }
    let newest_stable = record.versions.iter().find(|version| version.stable).map(|version| version.version);
    let kept_below = record.versions[JOB_VERSIONS_KEPT - 1].version;
    let runs = |version: u64| {
        state.allocations_of_job(&record.key).any(|allocation| allocation.job_version == version && allocation.holds())
    };
    let keeps: Vec<bool> = record
        .versions
        .iter()
        .map(|known| known.version >= kept_below || Some(known.version) == newest_stable || runs(known.version))
        .collect();
    let mut keeps = keeps.into_iter();
    record.versions.retain(|_| keeps.next().unwrap_or(true));
}

fn save(state: &mut State, work: &AtWork, mut record: JobRecord) {
    record.modify_index = work.index;
    state.indexes.jobs = work.index;
    state.changes.push(Change::Job { key: record.key.clone(), gone: false });
    // A job that is registered again is not to be forgotten any more.
    if !record.stop {
        state.purged.remove(&record.key);
    }
    state.jobs.insert(record.key.clone(), Arc::new(record));
}
