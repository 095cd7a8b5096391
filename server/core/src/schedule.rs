//! The scheduler: what should change for one job, and on which nodes.
//!
//! ```text
//!   reconcile ──► wishes (stop, update in place, place …) ──► place (feasible ──► score ──► choose) ──► plan
//! ```
//!
//! A pure function of a snapshot, an evaluation and a time. Everything that was not done is in the plan's outcome, with
//! its reasons and their numbers.

mod chance;
mod changes;
mod constraint;
mod feasible;
mod fleet;
pub mod grant;
mod place;
mod reconcile;
mod reschedule;
mod score;
#[cfg(feature = "testing")]
pub mod wanted;

use std::collections::BTreeMap;

use model::{Evaluation, EvaluationStatus, Timestamp, Trigger};

use crate::plan::{Outcome, Plan, Progress};
use crate::state::State;

pub use chance::has_chance;
pub(crate) use changes::{Change, change_between};
pub(crate) use constraint::{NODE_TARGETS, differs_by_node, resolve, unmet};
pub(crate) use feasible::{Feasibility, readiness};
pub(crate) use place::{Finding, Prospect, Standings, Survey, Surveyor, sum};
pub use reconcile::Counts;
pub(crate) use reschedule::{ended_on_purpose, is_final, shall_come_back};
pub use score::{SCORE_ONE, Score};

/// What was decided for one evaluation.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// To be put into the log.
    pub plan: Plan,
    /// What happens to each group's instances, in numbers.
    pub counts: BTreeMap<String, Counts>,
}

/// Decides `evaluation` on `state`.
pub fn schedule(state: &State, evaluation: &Evaluation, now: Timestamp) -> Decision {
    Scheduler::default().decide(state, evaluation, now)
}

/// Decides one evaluation after the other, and remembers of the nodes what need not be computed anew for each.
#[derive(Default)]
pub struct Scheduler {
    fleet: fleet::Fleet,
}

impl Scheduler {
    /// Decides `evaluation` on `state`, whatever states it has decided on before.
    pub fn decide(&mut self, state: &State, evaluation: &Evaluation, now: Timestamp) -> Decision {
        decide(state, &mut self.fleet, evaluation, now)
    }
}

fn decide(state: &State, fleet: &mut fleet::Fleet, evaluation: &Evaluation, now: Timestamp) -> Decision {
    let wishes = reconcile::reconcile(state, &evaluation.job, Some(evaluation.id), now);
    let reconcile::Wishes {
        mut stops,
        updates_in_place,
        wants,
        follow_ups,
        late,
        deployment,
        mut counts,
        held_back,
        ..
    } = wishes;
    let placed = if wants.is_empty() {
        // Most evaluations find that all is as it should be; they need no look at the nodes.
        place::Placed::default()
    } else {
        fleet.follow(state);
        place::place(state, fleet, evaluation.id, &stops, &wants)
    };
    stops.extend(placed.stops);
    for placement in &placed.placements {
        let preempted: usize = placement.tails.iter().map(|tail| tail.preempts.len()).sum();
        if let Some(counts) = counts.get_mut(&placement.group) {
            counts.preempted += preempted as u32;
        }
    }
    let mut queued = held_back;
    let unplaced = placed.unplaced.iter().map(|(group, unplaced)| (group, unplaced.count));
    for (group, count) in unplaced.chain(placed.given_up.iter().map(|(group, count)| (group, *count))) {
        *queued.entry(group.clone()).or_default() += count;
    }
    let progress = if placed.cut_short { Progress::Continues } else { Progress::Complete };
    let record = state.job(&evaluation.job);
    // Asked of the job, not of all that is open: of many jobs that wait, each would look at all others.
    let supersedes = state
        .evaluations_of_job(&evaluation.job)
        .filter(|other| other.status == EvaluationStatus::Pending)
        // One that comes because the planner gave up has nothing to add to what is decided now.
        .filter(|other| other.wait_until.is_none() || other.trigger == Trigger::FailedFollowUp)
        .filter(|other| other.id != evaluation.id)
        .map(|other| other.id)
        .chain(late)
        .collect();
    let plan = Plan {
        evaluation: evaluation.id,
        attempt: evaluation.attempts,
        // The shell knows in which term it leads.
        term: 0,
        snapshot_index: state.index(),
        job: evaluation.job.clone(),
        job_version: record.map_or(0, |record| record.current().version),
        job_modify_index: record.map_or(0, |record| record.job_modify_index),
        job_plans: record.map(|record| record.plans),
        names_evaluations: true,
        supersedes,
        stops,
        updates_in_place,
        placements: placed.placements,
        deployment,
        outcome: Outcome { progress, unplaced: placed.unplaced, queued, follow_ups },
    };
    Decision { plan, counts }
}
