//! Rebalances: begun and ended by people, moved on by the leader.

use std::sync::Arc;

use model::{Allocation, Index, Trigger};

use super::allocation::save;
use super::{Accepted, AtWork, Rejection};
use crate::limits::REBALANCE_MOVES_MAX;
use crate::rebalance::{Ask, End, Move, Rebalance, Stage, Status, check_index};
use crate::reconnect;
use crate::state::State;

/// Begins a rebalance: there is one at a time.
pub(super) fn begin(
    state: &mut State,
    work: &AtWork,
    ask: &Ask,
    moves: &[Move],
    checked: Option<Index>,
) -> Result<Accepted, Rejection> {
    if let Some(running) = state.rebalance().filter(|known| !known.status.is_over()) {
        return Err(Rejection::RebalanceRuns { index: running.index });
    }
    let found = check_index(state);
    if let Some(wanted) = checked.filter(|wanted| *wanted != found) {
        return Err(Rejection::ClusterChanged { wanted, found });
    }
    if moves.is_empty() {
        return Err(Rejection::NoMoves);
    }
    if moves.len() > REBALANCE_MOVES_MAX as usize {
        return Err(Rejection::TooManyMoves { moves: moves.len() as u32, max: REBALANCE_MOVES_MAX });
    }
    let moves = moves.iter().map(|planned| Move { stage: Stage::Waiting, detail: String::new(), ..planned.clone() });
    state.rebalance = Some(Arc::new(Rebalance {
        index: work.index,
        ask: ask.clone(),
        moves: moves.collect(),
        status: Status::Running,
        description: String::new(),
        started_at: work.at,
        modified_at: work.at,
        modify_index: work.index,
    }));
    Ok(Accepted::default())
}

/// The leader moves a rebalance on: that move begins, those are over, and if `abort` says why, no more shall begin.
pub(super) fn step(
    state: &mut State,
    work: &mut AtWork,
    index: Index,
    start: Option<model::AllocationId>,
    ends: &[End],
    abort: Option<&str>,
) -> Result<Accepted, Rejection> {
    let mut rebalance = running(state).filter(|known| known.index == index).ok_or(Rejection::NoRebalance)?;
    for end in ends {
        let Some(known) = rebalance.moves.iter_mut().find(|known| known.allocation == end.allocation) else { continue };
        if known.stage.is_over() {
            continue;
        }
        if known.stage == Stage::Moving && end.stage != Stage::Done {
            stay(state, work, known, end.stage);
        }
        known.stage = end.stage;
        known.detail = end.detail.clone();
    }
    if let Some(why) = abort.filter(|_| rebalance.status == Status::Running) {
        rebalance.status = Status::Aborting;
        rebalance.description = why.to_string();
        skip_the_rest(&mut rebalance, "a move failed");
    }
    let starts = start.filter(|_| rebalance.status == Status::Running);
    if let Some(known) = rebalance.moves.iter_mut().find(|known| Some(known.allocation) == starts) {
        begin_move(state, work, known);
    }
    put(state, work, rebalance);
    Ok(Accepted::default())
}

/// A person ends a rebalance: what waits stays, what moves already moves on.
pub(super) fn cancel(state: &mut State, work: &AtWork) -> Result<Accepted, Rejection> {
    let mut rebalance = running(state).filter(|known| known.status == Status::Running).ok_or(Rejection::NoRebalance)?;
    rebalance.status = Status::Cancelling;
    rebalance.description = "cancelled by request".into();
    skip_the_rest(&mut rebalance, "the rebalance was cancelled");
    put(state, work, rebalance);
    Ok(Accepted::default())
}

fn running(state: &State) -> Option<Rebalance> {
    state.rebalance().filter(|known| !known.status.is_over()).map(|known| Rebalance::clone(known))
}

fn skip_the_rest(rebalance: &mut Rebalance, why: &str) {
    for known in rebalance.moves.iter_mut().filter(|known| known.stage == Stage::Waiting) {
        known.stage = Stage::Skipped;
        known.detail = why.into();
    }
}

/// Stores a rebalance, which is over when all its moves are.
fn put(state: &mut State, work: &AtWork, mut rebalance: Rebalance) {
    if rebalance.moves.iter().all(|known| known.stage.is_over()) {
        rebalance.status = rebalance.status.at_the_end();
    }
    rebalance.modified_at = work.at;
    rebalance.modify_index = work.index;
    state.rebalance = Some(Arc::new(rebalance));
}

fn begin_move(state: &mut State, work: &mut AtWork, known: &mut Move) {
    if known.stage != Stage::Waiting {
        return;
    }
    let runs_there = |original: &&Arc<Allocation>| {
        original.is_live() && !original.migrate && original.node == known.from && state.job(&original.job).is_some()
    };
    let Some(original) = state.allocation(known.allocation).filter(runs_there) else {
        known.stage = Stage::Skipped;
        known.detail = "it does not run there any more".into();
        return;
    };
    // What once stood in for it has nothing to do with this move.
    let mut original = Allocation { migrate: true, ..Allocation::clone(original) };
    original.tie(|ties| ties.next = None);
    save(state, work, original, false);
    known.stage = Stage::Moving;
    super::allocation::wake_planner(state, work, &known.job, Trigger::Rebalance);
}

/// Lets an instance stay whose move came to nothing, unless its node drains.
fn stay(state: &mut State, work: &mut AtWork, known: &Move, stage: Stage) {
    let drains = state.node(known.from).is_none_or(|node| node.drain.is_some());
    let Some(original) = state.allocation(known.allocation).filter(|original| original.is_live()).cloned() else {
        return;
    };
    let has_replacement = reconnect::stand_in(state, &original).is_some();
    if original.migrate && !drains && (!has_replacement || stage == Stage::Failed) {
        super::allocation::stay(state, work, &original);
    }
    super::allocation::wake_planner(state, work, &known.job, Trigger::Rebalance);
}
