//! What becomes of an evaluation when one of its plans is applied, and which other evaluations follow from that.

use std::collections::BTreeSet;
use std::sync::Arc;

use model::{Evaluation, EvaluationId, EvaluationStatus, Trigger, WaitBegan};

use super::super::{AtWork, Wish, allocation};
use crate::limits::{EVALUATION_ATTEMPTS_MAX, RETRY_AFTER_MAX, RETRY_AFTER_MIN};
use crate::plan::{DeploymentChange, Outcome, Plan, Progress};
use crate::state::State;

/// Brings the evaluation, and what depends on it, in line with the plan's outcome.
pub(super) fn conclude(state: &mut State, work: &mut AtWork, plan: &Plan, mut evaluation: Evaluation, again: bool) {
    evaluation.attempts += 1;
    evaluation.snapshot_index = plan.snapshot_index;
    let Outcome { progress, unplaced, queued, follow_ups } = &plan.outcome;
    let waited = std::mem::replace(&mut evaluation.unplaced, unplaced.clone());
    for (group, unplaced) in &mut evaluation.unplaced {
        unplaced.began = match blocked_of(state, plan).find(|known| known.id != evaluation.id) {
            Some(blocked) => state.wait_began(blocked, group),
            None => match waited.get(group) {
                Some(known) => known.began,
                // It waits for other groups since it was created.
                None if evaluation.trigger == Trigger::QueuedAllocs => {
                    Some(WaitBegan { at: work.at, by: evaluation.trigger })
                }
                None => None,
            },
        };
    }
    evaluation.queued = queued.clone();
    if plan.deployment != DeploymentChange::None || evaluation.deployment.is_none() {
        evaluation.deployment =
            state.latest_deployment(&plan.job).filter(|known| known.status.is_active()).map(|d| d.id);
    }
    if again || *progress == Progress::Continues {
        // The planner sees what was rejected in the state, and plans once more.
        evaluation.status = EvaluationStatus::Pending;
        work.save_evaluation(state, evaluation);
        return;
    }
    for follow_up in follow_ups {
        let wish = Wish {
            wait_until: Some(follow_up.at),
            previous: Some(evaluation.id),
            ..Wish::of(state, &plan.job, Trigger::AllocReschedule)
        };
        let id = work.create(state, wish);
        for allocation in &follow_up.allocations {
            if let Some(known) = state.allocation(*allocation).cloned() {
                let mut known = (*known).clone();
                known.tie(|ties| ties.follow_up = Some(id));
                allocation::save(state, work, known, false);
            }
        }
        evaluation.next = Some(id);
    }
    match progress {
        Progress::Complete | Progress::Continues => cancel_others(state, work, plan),
        // Nothing was decided, so the others are still needed.
        Progress::Failed { .. } => {}
    }
    match progress {
        Progress::Complete | Progress::Continues if unplaced.is_empty() => {
            evaluation.status = EvaluationStatus::Complete;
            evaluation.description = String::new();
        }
        Progress::Complete | Progress::Continues if waits_on(&evaluation) => {
            evaluation.status = EvaluationStatus::Blocked;
            evaluation.description = "waits for room".into();
        }
        Progress::Complete | Progress::Continues => {
            evaluation.status = EvaluationStatus::Complete;
            let wish = Wish {
                previous: Some(evaluation.id),
                deployment: evaluation.deployment,
                blocked: true,
                ..Wish::of(state, &plan.job, Trigger::QueuedAllocs)
            };
            evaluation.blocked = Some(block(state, work, wish, &evaluation));
        }
        Progress::Failed { description } => {
            evaluation.status = EvaluationStatus::Failed;
            evaluation.description = description.clone();
            evaluation.next = retry_later(state, work, &evaluation);
        }
    }
    work.save_evaluation(state, evaluation);
}

/// The job's evaluation that waits for room.
fn blocked_of<'a>(state: &'a State, plan: &Plan) -> impl Iterator<Item = &'a Arc<Evaluation>> + use<'a> {
    state.evaluations_of_job(&plan.job).filter(|known| known.status == EvaluationStatus::Blocked)
}

/// Whether it goes on waiting itself. Another takes over before its plans look like those of one that has no end.
fn waits_on(evaluation: &Evaluation) -> bool {
    evaluation.trigger == Trigger::QueuedAllocs && evaluation.attempts < EVALUATION_ATTEMPTS_MAX / 2
}

/// The evaluation that tries anew what the planner gave up: one for all of the job's, later each time it fails as well. None
/// for a job that is gone.
fn retry_later(state: &mut State, work: &mut AtWork, failed: &Evaluation) -> Option<EvaluationId> {
    let is_retry = |known: &&Arc<Evaluation>| known.trigger == Trigger::FailedFollowUp && known.id != failed.id;
    let coming = state.evaluations_of_job(&failed.job).find(|known| is_retry(known) && !known.status.is_terminal());
    if let Some(coming) = coming {
        return Some(coming.id);
    }
    state.job(&failed.job)?;
    let waited = failed.wait_until.filter(|_| failed.trigger == Trigger::FailedFollowUp);
    let waited = waited.map(|until| until.since(failed.created_at));
    let pause = waited.map_or(RETRY_AFTER_MIN, |waited| waited.saturating_mul(2).min(RETRY_AFTER_MAX));
    let wish = Wish {
        wait_until: Some(work.at + pause),
        previous: Some(failed.id),
        ..Wish::of(state, &failed.job, Trigger::FailedFollowUp)
    };
    Some(work.create(state, wish))
}

/// Creates the evaluation that waits for room, with what is lacking.
fn block(state: &mut State, work: &mut AtWork, wish: Wish, evaluation: &Evaluation) -> EvaluationId {
    let id = work.create(state, wish);
    let mut blocked = Evaluation::clone(state.evaluation(id).expect("it was created on the line above"));
    blocked.unplaced = evaluation.unplaced.clone();
    if evaluation.trigger == Trigger::QueuedAllocs {
        // It takes over from one that waited itself.
        for (group, unplaced) in &mut blocked.unplaced {
            unplaced.began = state.wait_began(evaluation, group);
        }
    }
    blocked.queued = evaluation.queued.clone();
    blocked.snapshot_index = evaluation.snapshot_index;
    blocked.description = "waits for room".into();
    work.save_evaluation(state, blocked);
    id
}

/// Cancels the job's other evaluations that this plan decided as well, and those that were blocked.
fn cancel_others(state: &mut State, work: &AtWork, plan: &Plan) {
    let others: BTreeSet<_> =
        blocked_of(state, plan).map(|known| known.id).chain(plan.supersedes.iter().copied()).collect();
    for id in others {
        let Some(known) = state.evaluation(id).cloned() else { continue };
        if known.job != plan.job || known.id == plan.evaluation || known.status.is_terminal() {
            continue;
        }
        let mut known = (*known).clone();
        known.status = EvaluationStatus::Canceled;
        known.description = format!("decided together with evaluation {}", plan.evaluation.short());
        // Whoever waits for it finds there what came of it.
        known.next = Some(plan.evaluation);
        work.save_evaluation(state, known);
    }
}
