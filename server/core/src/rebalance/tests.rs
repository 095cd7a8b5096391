//! Rebalances as they are replicated: through the log, through a snapshot, and who may change them.

use std::sync::Arc;

use model::testing::{job, node};
use model::{Index, Term, Timestamp};

use super::*;
use crate::apply::{Answer, Rejection, apply};
use crate::command::{Command, Entry};
use crate::limits::REBALANCE_MOVES_MAX;

fn offer(state: &mut State, term: Term, command: Command) -> Result<(), Rejection> {
    let entry = Entry { at: Timestamp::from_seconds(9), request: None, caller: String::new(), command };
    // What is applied is what was read from the log.
    let entry = Entry::decode(&entry.encode()).expect("what was written is read");
    let index = state.index() + 1;
    match apply(state, index, term, &entry).answer {
        Answer::Accepted(_) => Ok(()),
        Answer::Rejected(rejection) => Err(rejection),
    }
}

/// A cluster whose job of two instances stands on one of two nodes.
fn crowded() -> State {
    let mut state = State::default();
    let mut web = job("web").count(2);
    web.groups[0].update = None;
    offer(&mut state, 1, Command::RegisterNode { node: Arc::new(node("n1")), session: None }).unwrap();
    offer(&mut state, 1, Command::RegisterJob { job: Arc::new(web), check_index: None, submission: None }).unwrap();
    plan(&mut state);
    for known in state.allocations().cloned().collect::<Vec<_>>() {
        let observation = model::Observation {
            allocation: known.id,
            client_status: model::ClientStatus::Running,
            client_description: String::new(),
            tasks: Default::default(),
            healthy: Some(true),
            healthy_at: None,
            checks: Default::default(),
            network_address: None,
        };
        offer(
            &mut state,
            1,
            Command::Observe { nodes: vec![(known.node, vec![observation.packed()])], sessions: Default::default() },
        )
        .unwrap();
    }
    plan(&mut state);
    offer(&mut state, 1, Command::RegisterNode { node: Arc::new(node("n2")), session: None }).unwrap();
    state
}

/// Decides everything that is pending.
fn plan(state: &mut State) {
    loop {
        let pending = state.open_evaluations(model::EvaluationStatus::Pending).next().cloned();
        let Some(evaluation) = pending else { return };
        let plan = crate::schedule::schedule(state, &evaluation, Timestamp::from_seconds(9)).plan;
        offer(state, 1, Command::Plan(Box::new(crate::plan::Plan { term: 1, ..plan }))).unwrap();
    }
}

fn begin(state: &mut State, moves: Vec<Move>) -> Result<(), Rejection> {
    offer(state, 1, Command::BeginRebalance { ask: Ask::of(Goal::Spread), moves, check_index: None })
}

fn step(state: &mut State, index: Index, term: Term, step: Step) -> Result<(), Rejection> {
    let Step { start, ends, abort, .. } = step;
    offer(state, term, Command::StepRebalance { index, start, ends, abort, term })
}

fn status(state: &State) -> Status {
    state.rebalance().expect("one was begun").status
}

#[test]
fn it_goes_on_after_a_snapshot_as_if_there_had_been_none() {
    let mut state = crowded();
    let now = Timestamp::from_seconds(9);
    let moves = propose(&state, &Ask::of(Goal::Spread), now).moves;
    assert_eq!(moves.len(), 1);
    begin(&mut state, moves).unwrap();
    let index = state.rebalance().unwrap().index;
    let first = next(&state, now);
    assert!(first.start.is_some());
    let restored = State::decode(&state.encode()).expect("what was written is read");
    assert_eq!(restored, state);
    assert_eq!(next(&restored, now), first, "a new leader finds the same due");
    step(&mut state, index, 1, first).unwrap();
    let restored = State::decode(&state.encode()).expect("what was written is read");
    assert_eq!((next(&restored, now), restored.rebalance()), (next(&state, now), state.rebalance()));
}

#[test]
fn an_old_leader_and_one_that_means_another_rebalance_change_nothing() {
    let mut state = crowded();
    let now = Timestamp::from_seconds(9);
    let moves = propose(&state, &Ask::of(Goal::Spread), now).moves;
    begin(&mut state, moves).unwrap();
    let index = state.rebalance().unwrap().index;
    let due = next(&state, now);
    assert_eq!(step(&mut state, index + 1, 1, due.clone()), Err(Rejection::NoRebalance));
    offer(&mut state, 2, Command::SetClusterVersion { version: 1 }).unwrap();
    assert_eq!(step(&mut state, index, 1, due.clone()), Err(Rejection::OldTerm { proposed: 1, current: 2 }));
    assert!(state.rebalance().unwrap().moving().next().is_none());
    step(&mut state, index, 2, due.clone()).unwrap();
    let after = state.clone();
    step(&mut state, index, 2, due).unwrap();
    assert_eq!(state.rebalance().unwrap().moves, after.rebalance().unwrap().moves, "said twice, it is done once");
}

#[test]
fn as_many_moves_are_taken_as_the_limit() {
    let mut state = crowded();
    let planned = propose(&state, &Ask::of(Goal::Spread), Timestamp::from_seconds(9)).moves.remove(0);
    let many = |count: u32| vec![planned.clone(); count as usize];
    let max = REBALANCE_MOVES_MAX;
    assert_eq!(begin(&mut state, many(max + 1)), Err(Rejection::TooManyMoves { moves: max + 1, max }));
    assert_eq!(begin(&mut state, Vec::new()), Err(Rejection::NoMoves));
    begin(&mut state, many(max)).unwrap();
    assert_eq!(status(&state), Status::Running);
    offer(&mut state, 1, Command::CancelRebalance).unwrap();
    assert_eq!(status(&state), Status::Cancelled, "nothing had begun to move");
}

#[test]
fn it_begins_only_at_the_index_that_was_checked() {
    let mut state = crowded();
    let proposal = propose(&state, &Ask::of(Goal::Spread), Timestamp::from_seconds(9));
    let begin = |wanted: Index| Command::BeginRebalance {
        ask: proposal.ask.clone(),
        moves: proposal.moves.clone(),
        check_index: Some(wanted),
    };
    let found = proposal.check_index;
    let wanted = found - 1;
    assert_eq!(offer(&mut state, 1, begin(wanted)), Err(Rejection::ClusterChanged { wanted, found }));
    // What has nothing to do with placement does not count.
    offer(&mut state, 1, Command::SetClusterVersion { version: 1 }).unwrap();
    assert_eq!(offer(&mut state, 1, begin(found)), Ok(()));
}
