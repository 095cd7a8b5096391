//! When the planner looks at the committed state anew, and when it gives an evaluation up.

use model::testing::{job, node};
use model::{EvaluationStatus, JobKey};

use server_core::schedule::schedule;

use super::*;

const TERM: Term = 1;

fn entry(command: Command) -> Entry {
    Entry { at: Timestamp::default(), request: None, caller: String::new(), command }
}

/// A committed state with one job that is not planned yet.
fn with_job() -> State {
    let mut state = State::default();
    for command in [
        Command::RegisterNode { node: Arc::new(node("n1")), session: None },
        Command::RegisterJob { job: Arc::new(job("web")), check_index: None, submission: None },
    ] {
        let index = state.index() + 1;
        let answer = apply::apply(&mut state, index, TERM, &entry(command)).answer;
        assert!(matches!(answer, Answer::Accepted(_)), "{answer:?}");
    }
    state
}

fn ahead() -> Ahead {
    Ahead::of(&with_job(), &VecDeque::new(), TERM)
}

fn pending(state: &State) -> Arc<Evaluation> {
    state.open_evaluations(EvaluationStatus::Pending).next().expect("the job is not planned yet").clone()
}

#[test]
fn as_many_plans_are_in_flight_as_the_limit() {
    let in_flight = |plans: usize| {
        let plan = |attempt| InFlight {
            evaluation: EvaluationId::default(),
            attempt,
            entry: entry(Command::SetClusterVersion { version: 1 }),
        };
        (0..plans as u32).map(plan).collect::<VecDeque<_>>()
    };
    assert!(has_room(&in_flight(PLANS_IN_FLIGHT_MAX - 1)));
    assert!(!has_room(&in_flight(PLANS_IN_FLIGHT_MAX)));
}

#[test]
fn the_committed_state_is_looked_at_anew_after_so_many_plans() {
    assert!(!Ahead { plans: PLANS_AHEAD_MAX - 1, ..ahead() }.is_old());
    assert!(Ahead { plans: PLANS_AHEAD_MAX, ..ahead() }.is_old());
}

#[test]
fn the_committed_state_is_looked_at_anew_after_so_many_instances() {
    assert!(!Ahead { instances: INSTANCES_AHEAD_MAX - 1, ..ahead() }.is_old());
    assert!(Ahead { instances: INSTANCES_AHEAD_MAX, ..ahead() }.is_old());
}

#[test]
fn an_evaluation_is_planned_as_often_as_the_limit_and_then_given_up() {
    let state = with_job();
    let tried = |attempts| Evaluation { attempts, ..Evaluation::clone(&pending(&state)) };
    assert!(!is_tried_enough(&tried(EVALUATION_ATTEMPTS_MAX - 1)));
    assert!(is_tried_enough(&tried(EVALUATION_ATTEMPTS_MAX)));
}

#[test]
fn one_that_is_blocked_is_planned_whenever_something_changed_for_it() {
    let state = with_job();
    let blocked = Evaluation {
        attempts: EVALUATION_ATTEMPTS_MAX,
        status: EvaluationStatus::Blocked,
        ..Evaluation::clone(&pending(&state))
    };
    assert!(!is_tried_enough(&blocked));
}

#[test]
fn a_plan_has_seen_no_more_than_what_was_committed() {
    let mut ahead = ahead();
    let committed = ahead.state.index();
    let plan = schedule(&ahead.state, &pending(&ahead.state), Timestamp::default()).plan;
    assert!(ahead.apply(&entry(Command::Plan(Box::new(Plan { term: TERM, ..plan })))));
    assert!(ahead.state.index() > committed);
    assert_eq!(ahead.stamp(give_up(&ahead.state, &pending(&with_job()), TERM, "why")).snapshot_index, committed);
}

#[test]
fn a_plan_that_is_in_flight_is_not_planned_again() {
    let committed = with_job();
    let evaluation = pending(&committed);
    let plan = schedule(&committed, &evaluation, Timestamp::default()).plan;
    let entry = entry(Command::Plan(Box::new(Plan { term: TERM, ..plan })));
    let in_flight = VecDeque::from([InFlight { evaluation: evaluation.id, attempt: evaluation.attempts, entry }]);
    let ahead = Ahead::of(&committed, &in_flight, TERM);
    assert!(ahead.next(&mut BlockedWatch::default(), Timestamp::default()).is_none());
}

#[test]
fn a_plan_that_came_out_differently_has_the_committed_state_looked_at_anew() {
    let mut ahead = ahead();
    let evaluation = pending(&ahead.state).id;
    let mut in_flight = VecDeque::new();
    ahead.forget(&mut in_flight, (evaluation, 0, Ok(Answer::Accepted(Default::default()))));
    assert!(!ahead.is_old());
    let rejection = server_core::apply::Rejection::JobChanged;
    ahead.forget(&mut in_flight, (evaluation, 0, Ok(Answer::Rejected(rejection))));
    assert!(ahead.is_old());
}

#[test]
fn what_is_given_up_places_nothing_and_is_over() {
    let mut ahead = ahead();
    let evaluation = pending(&ahead.state);
    let plan = give_up(&ahead.state, &evaluation, TERM, "maximum attempts reached");
    assert!(ahead.apply(&entry(Command::Plan(Box::new(plan)))));
    let known = ahead.state.evaluation(evaluation.id).expect("it is kept");
    assert_eq!((known.status, known.description.as_str()), (EvaluationStatus::Failed, "maximum attempts reached"));
    assert_eq!(ahead.state.allocations_of_job(&JobKey::new("default", "web")).count(), 0);
}
