//! What running a job would do: the job is registered on a copy of the state, planned there, and the copy thrown away.
//!
//! It is the scheduler and `apply` themselves that answer, so a dry run and the run that follows on an unchanged state
//! are the same. Called by the shell for `job plan`.

mod diff;

use std::collections::BTreeMap;
use std::sync::Arc;

use model::{Allocation, AllocationId, EvaluationStatus, Index, Job, JobKey, NodeId, Timestamp, Unplaced};

use crate::apply::Answer;
use crate::command::Command;
use crate::limits::EVALUATION_ATTEMPTS_MAX;
use crate::plan::DeploymentChange;
use crate::rehearsal::Rehearsal;
use crate::schedule::Counts;
use crate::state::State;

pub use diff::{DiffType, FieldDiff, GroupDiff, JobDiff, ObjectDiff, TaskDiff, diff};

/// What running a job would do.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct DryRun {
    /// What happens to each group's instances.
    pub counts: BTreeMap<String, Counts>,
    /// What would find no room, per group.
    pub unplaced: BTreeMap<String, Unplaced>,
    /// Where new instances would go, by group and index.
    pub placements: Vec<Preview>,
    /// Instances that would be told to stop, by group and index.
    pub stops: Vec<Preview>,
    /// Instances of other jobs that would end to make room, by job, group and index.
    pub preempted: Vec<Preempted>,
    /// Index of the last change of the job as it is registered, to be checked when it is run; 0 for a new job.
    pub job_modify_index: Index,
    /// The version that the job would get, or has if nothing is new.
    pub job_version: u64,
    /// Whether a deployment would begin.
    pub begins_deployment: bool,
}

/// An instance and its node.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Preview {
    /// The group.
    pub group: String,
    /// Which of the group's instances.
    pub index: u32,
    /// The instance's name, `web.web[0]`.
    pub name: String,
    /// The node's name.
    pub node_name: String,
    /// The node.
    pub node: NodeId,
}

/// An instance that would end, and for whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preempted {
    /// Its name, `batch.batch[0]`.
    pub name: String,
    /// Its job.
    pub job: JobKey,
    /// It.
    pub allocation: AllocationId,
    /// The node's name.
    pub node_name: String,
    /// The name of the new instance that takes its room.
    pub by: String,
}

/// Runs `job`, which is complete and valid, on a copy of `state`.
pub fn dry_run(state: &State, job: &Arc<Job>, now: Timestamp) -> DryRun {
    let key = job.key();
    let job_modify_index = state.job(&key).map_or(0, |record| record.job_modify_index);
    let mut rehearsal = Rehearsal::of(state, now);
    let register = Command::RegisterJob { job: job.clone(), check_index: None, submission: None };
    let Answer::Accepted(accepted) = rehearsal.command(register) else {
        return DryRun { job_modify_index, ..DryRun::default() };
    };
    let mut run =
        DryRun { job_modify_index, job_version: accepted.job_version.unwrap_or_default(), ..DryRun::default() };
    let first_index = rehearsal.state.index() + 1;
    // A large job takes several plans.
    for _ in 0..EVALUATION_ATTEMPTS_MAX {
        let pending = accepted.evaluation.and_then(|id| rehearsal.state.evaluation(id)).cloned();
        let Some(evaluation) = pending.filter(|known| known.status == EvaluationStatus::Pending) else { break };
        let (plan, counts) = rehearsal.decide_one(&evaluation);
        if evaluation.attempts == 0 {
            run.counts = counts;
        }
        run.unplaced = plan.outcome.unplaced;
        run.begins_deployment |= matches!(plan.deployment, DeploymentChange::Begin(_));
        run.stops.extend(plan.stops.iter().filter_map(|stop| preview(&rehearsal.state, stop.allocation)));
    }
    let planned = &rehearsal.state;
    let is_new = |known: &&Arc<Allocation>| known.create_index >= first_index;
    run.placements =
        planned.allocations_of_job(&key).filter(is_new).filter_map(|known| preview(planned, known.id)).collect();
    run.preempted = preempted(planned, first_index);
    run.placements.sort();
    run.stops.sort();
    run
}

/// The state as it would be when `job`, which is complete and valid, was registered and nothing decided yet; otherwise why
/// it would be refused.
pub fn registered(state: &State, job: &Arc<Job>, now: Timestamp) -> Result<State, String> {
    let mut rehearsal = Rehearsal::of(state, now);
    match rehearsal.command(Command::RegisterJob { job: job.clone(), check_index: None, submission: None }) {
        Answer::Accepted(_) => Ok(rehearsal.state),
        Answer::Rejected(rejection) => Err(rejection.to_string()),
    }
}

fn preview(state: &State, allocation: AllocationId) -> Option<Preview> {
    let known = state.allocation(allocation)?;
    Some(Preview {
        group: known.group.clone(),
        index: known.index,
        name: known.name(),
        node_name: known.node_name.to_string(),
        node: known.node,
    })
}

/// What ends for instances that came at `first_index` or later.
pub(crate) fn preempted(state: &State, first_index: Index) -> Vec<Preempted> {
    let taker = |known: &Arc<Allocation>| {
        state.allocation(known.ties().preempted_by?).filter(|taker| taker.create_index >= first_index)
    };
    let of = |known: &Arc<Allocation>| {
        Some(Preempted {
            name: known.name(),
            job: known.job.clone(),
            allocation: known.id,
            node_name: known.node_name.to_string(),
            by: taker(known)?.name(),
        })
    };
    let mut all: Vec<_> = state.allocations_as_placed().filter(|known| taker(known).is_some()).collect();
    all.sort_by_key(|known| (&known.job, &known.group, known.index, known.id));
    all.into_iter().filter_map(of).collect()
}
