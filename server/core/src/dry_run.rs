//! What running a job would do: the job is registered on a copy of the state, planned there, and the copy thrown away.
//!
//! It is the scheduler and `apply` themselves that answer, so a dry run and the run that follows on an unchanged state
//! are the same. Called by the shell for `job plan`.

mod diff;

use std::collections::BTreeMap;
use std::sync::Arc;

use model::{EvaluationStatus, Index, Job, Timestamp, Unplaced};

use crate::apply::{Answer, apply};
use crate::command::{Command, Entry};
use crate::limits::EVALUATION_ATTEMPTS_MAX;
use crate::plan::{DeploymentChange, Plan};
use crate::schedule::{Counts, schedule};
use crate::state::State;

pub use diff::{DiffType, FieldDiff, GroupDiff, JobDiff, ObjectDiff, TaskDiff, diff};

/// What running a job would do.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct DryRun {
    /// What happens to each group's instances.
    pub counts: BTreeMap<String, Counts>,
    /// What would find no room, per group.
    pub unplaced: BTreeMap<String, Unplaced>,
    /// Where new instances would go, by name.
    pub placements: Vec<Preview>,
    /// Instances that would be told to stop, by name.
    pub stops: Vec<Preview>,
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
    /// The instance's name, `web.web[0]`.
    pub name: String,
    /// The node's name.
    pub node_name: String,
}

/// Runs `job`, which is complete and valid, on a copy of `state`.
pub fn dry_run(state: &State, job: &Arc<Job>, now: Timestamp) -> DryRun {
    let key = job.key();
    let job_modify_index = state.job(&key).map_or(0, |record| record.job_modify_index);
    let mut copy = state.clone();
    let register = Command::RegisterJob { job: job.clone(), check_index: None, submission: None };
    let Answer::Accepted(accepted) = try_out(&mut copy, register, now) else {
        return DryRun { job_modify_index, ..DryRun::default() };
    };
    let mut run =
        DryRun { job_modify_index, job_version: accepted.job_version.unwrap_or_default(), ..DryRun::default() };
    let first_index = copy.index() + 1;
    // A large job takes several plans.
    for _ in 0..EVALUATION_ATTEMPTS_MAX {
        let pending = accepted.evaluation.and_then(|id| copy.evaluation(id)).cloned();
        let Some(evaluation) = pending.filter(|known| known.status == EvaluationStatus::Pending) else { break };
        let decision = schedule(&copy, &evaluation, now);
        if evaluation.attempts == 0 {
            run.counts = decision.counts;
        }
        run.unplaced = decision.plan.outcome.unplaced.clone();
        run.begins_deployment |= matches!(decision.plan.deployment, DeploymentChange::Begin(_));
        run.stops.extend(decision.plan.stops.iter().filter_map(|stop| preview(&copy, stop.allocation)));
        let plan = Plan { term: copy.term(), ..decision.plan };
        try_out(&mut copy, Command::Plan(Box::new(plan)), now);
    }
    let is_new = |known: &&Arc<model::Allocation>| known.create_index >= first_index;
    let new = copy.allocations_of_job(&key).filter(is_new);
    run.placements = new.filter_map(|known| preview(&copy, known.id)).collect();
    run.placements.sort();
    run.stops.sort();
    run
}

fn try_out(copy: &mut State, command: Command, now: Timestamp) -> Answer {
    let (index, term) = (copy.index() + 1, copy.term());
    let entry = Entry { at: now, request: None, caller: "dry run".into(), command };
    apply(copy, index, term, &entry).answer
}

fn preview(state: &State, allocation: model::AllocationId) -> Option<Preview> {
    let known = state.allocation(allocation)?;
    Some(Preview { group: known.group.clone(), name: known.name(), node_name: known.node_name.to_string() })
}
