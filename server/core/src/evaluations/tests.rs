//! What a leader takes up that did not lead when work was blocked, and whose evaluations are whose.

use model::testing::{job, node};
use model::{Job, JobKey};

use super::*;
use crate::apply::{Answer, apply};
use crate::command::{Command, Entry};
use crate::plan::Plan;
use crate::schedule::schedule;

const NOW: Timestamp = Timestamp::from_seconds(1_000);

fn carry_out(state: &mut State, command: Command) {
    let index = state.index() + 1;
    let entry = Entry { at: NOW, request: None, caller: String::new(), command };
    let answer = apply(state, index, 0, &entry).answer;
    assert!(matches!(answer, Answer::Accepted(_)), "{answer:?}");
}

fn register(state: &mut State, job: Job) {
    carry_out(state, Command::RegisterJob { job: Arc::new(job), check_index: None, submission: None });
}

fn join(state: &mut State, name: &str) {
    carry_out(state, Command::RegisterNode { node: Arc::new(node(name)), session: None });
}

fn plan(state: &mut State, evaluation: &Evaluation) {
    let plan = schedule(state, evaluation, NOW).plan;
    carry_out(state, Command::Plan(Box::new(plan)));
}

fn pending(state: &State) -> Arc<Evaluation> {
    state.open_evaluations(EvaluationStatus::Pending).next().expect("something is pending").clone()
}

/// A job that waits for a node.
fn with_blocked() -> State {
    let mut state = State::default();
    register(&mut state, job("web"));
    let evaluation = pending(&state);
    plan(&mut state, &evaluation);
    state
}

fn next_is_blocked(state: &State, blocked: &mut BlockedWatch) -> bool {
    next(state, blocked, NOW).is_some_and(|known| known.status == EvaluationStatus::Blocked)
}

#[test]
fn a_new_leader_takes_up_what_nodes_gained_before_it_led() {
    let mut state = with_blocked();
    join(&mut state, "n1");
    let mut blocked = BlockedWatch::default();
    blocked.look(&state);
    assert!(next_is_blocked(&state, &mut blocked));
}

#[test]
fn a_restored_server_takes_up_what_nodes_gained_before_the_snapshot() {
    let mut state = with_blocked();
    join(&mut state, "n1");
    let state = State::decode(&state.encode()).expect("it was just encoded");
    let mut blocked = BlockedWatch::default();
    blocked.look(&state);
    assert!(next_is_blocked(&state, &mut blocked));
}

#[test]
fn who_had_a_turn_has_another_only_if_a_plan_came_out_differently() {
    let mut state = with_blocked();
    join(&mut state, "n1");
    let mut blocked = BlockedWatch::default();
    blocked.look(&state);
    assert!(next_is_blocked(&state, &mut blocked));
    assert!(!next_is_blocked(&state, &mut blocked), "it is being planned");
    blocked.try_again();
    assert!(next_is_blocked(&state, &mut blocked), "its plan was lost");
    blocked.settle();
    blocked.try_again();
    assert!(!next_is_blocked(&state, &mut blocked), "its plan is committed");
}

#[test]
fn a_gain_between_the_state_that_was_planned_on_and_the_commit_is_seen() {
    let mut state = State::default();
    register(&mut state, job("web"));
    let mut blocked = BlockedWatch::default();
    blocked.look(&state);
    let made = schedule(&state, &pending(&state), NOW).plan;
    join(&mut state, "n1");
    blocked.look(&state);
    carry_out(&mut state, Command::Plan(Box::new(made)));
    blocked.look(&state);
    assert!(next_is_blocked(&state, &mut blocked));
}

#[test]
fn one_that_panics_when_it_is_looked_at_keeps_nobody_else_from_a_turn() {
    let mut state = with_blocked();
    register(&mut state, job("other"));
    let evaluation = pending(&state);
    plan(&mut state, &evaluation);
    join(&mut state, "n1");
    let mut blocked = BlockedWatch::default();
    blocked.look(&state);
    let mut turns = Vec::new();
    // Whoever asks says yes for one that can't be judged: it has its turn, and the next one has the next.
    while let Some(known) = next_by(&state, &mut blocked, NOW, |_, _| true) {
        turns.push(known.job.id.to_string());
    }
    assert_eq!(turns, ["web", "other"]);
}

#[test]
fn jobs_of_one_id_in_two_namespaces_are_two_jobs() {
    let mut state = State::default();
    register(&mut state, job("web"));
    register(&mut state, Job { namespace: "prod".into(), ..job("web") });
    let first = pending(&state);
    plan(&mut state, &first);
    let second = pending(&state);
    assert_ne!(first.job, second.job);
    plan(&mut state, &second);
    let waits = |namespace: &str| {
        let of_job = state.evaluations_of_job(&JobKey::new(namespace, "web"));
        of_job.filter(|known| known.status == EvaluationStatus::Blocked).count()
    };
    assert_eq!([waits("default"), waits("prod")], [1, 1]);
}

#[test]
fn a_job_waits_once_and_what_it_waited_for_before_is_over() {
    let mut state = with_blocked();
    register(&mut state, job("web").count(3));
    let evaluation = pending(&state);
    plan(&mut state, &evaluation);
    let with = |status| state.evaluations().filter(|known| known.status == status).count();
    assert_eq!([with(EvaluationStatus::Blocked), with(EvaluationStatus::Canceled)], [1, 1]);
}

#[test]
fn what_was_asked_of_a_job_meanwhile_is_cancelled_when_one_plan_decides_it() {
    let mut state = State::default();
    join(&mut state, "n1");
    register(&mut state, job("web"));
    carry_out(&mut state, Command::EvaluateJob { job: JobKey::new("default", "web"), force_reschedule: false });
    let evaluation = pending(&state);
    plan(&mut state, &evaluation);
    let of_status = |status| state.evaluations().filter(|known| known.status == status).cloned().collect::<Vec<_>>();
    let canceled = of_status(EvaluationStatus::Canceled);
    assert_eq!(canceled.len(), 1);
    assert_eq!(canceled[0].next, Some(evaluation.id), "it says by which");
    assert_eq!(of_status(EvaluationStatus::Complete).len(), 1);
}

#[test]
fn an_evaluation_that_waits_for_ever_never_looks_like_one_without_an_end() {
    let mut state = with_blocked();
    for _ in 0..2 * crate::limits::EVALUATION_ATTEMPTS_MAX {
        let waits = state.open_evaluations(EvaluationStatus::Blocked).next().expect("it waits").clone();
        assert!(waits.attempts < crate::limits::EVALUATION_ATTEMPTS_MAX);
        plan(&mut state, &waits);
    }
}

#[test]
fn what_is_given_up_is_tried_anew_after_a_pause_that_doubles_up_to_its_limit() {
    use crate::limits::{RETRY_AFTER_MAX, RETRY_AFTER_MIN};
    let mut state = State::default();
    register(&mut state, job("web"));
    let mut evaluation = pending(&state);
    let mut pauses = Vec::new();
    for _ in 0..9 {
        let given_up = Plan::giving_up(&state, &evaluation, "why");
        carry_out(&mut state, Command::Plan(Box::new(given_up)));
        let failed = state.evaluation(evaluation.id).expect("it is kept");
        assert_eq!((failed.status, failed.description.as_str()), (EvaluationStatus::Failed, "why"));
        evaluation = state.waiting_evaluations().next().expect("it is tried anew").clone();
        assert_eq!(failed.next, Some(evaluation.id));
        pauses.push(evaluation.wait_until.expect("it waits").since(NOW));
    }
    let doubled: Vec<_> = (0..9).map(|times| (RETRY_AFTER_MIN * 2u32.pow(times)).min(RETRY_AFTER_MAX)).collect();
    assert_eq!(pauses, doubled);
    assert_eq!(pauses.last(), Some(&RETRY_AFTER_MAX));
}

/// A committed state with two jobs that are pending, and the state ahead of it in which the first is planned.
fn planned_ahead() -> (State, State) {
    let mut committed = State::default();
    register(&mut committed, job("web"));
    register(&mut committed, job("other"));
    let mut ahead = committed.clone();
    let evaluation = pending(&ahead);
    plan(&mut ahead, &evaluation);
    (committed, ahead)
}

#[test]
fn what_is_planned_ahead_or_known_there_overtakes_nothing() {
    let (committed, mut ahead) = planned_ahead();
    assert!(!overtakes(&committed, &ahead, NOW), "the first is planned, and the second is next there too");
    let evaluation = pending(&ahead);
    plan(&mut ahead, &evaluation);
    assert!(!overtakes(&committed, &ahead, NOW), "both are planned");
}

#[test]
fn what_is_new_overtakes_only_what_comes_after_it() {
    let (mut committed, mut ahead) = planned_ahead();
    register(&mut committed, job("late"));
    assert!(!overtakes(&committed, &ahead, NOW), "it comes after what is pending there");
    let evaluation = pending(&ahead);
    plan(&mut ahead, &evaluation);
    assert!(overtakes(&committed, &ahead, NOW), "nothing is pending there any more");
    let (mut committed, ahead) = planned_ahead();
    register(&mut committed, Job { priority: 90, ..job("urgent") });
    assert!(overtakes(&committed, &ahead, NOW));
}

#[test]
fn one_that_was_looked_at_more_often_than_is_known_ahead_overtakes() {
    let (mut committed, mut ahead) = planned_ahead();
    let evaluation = pending(&ahead);
    plan(&mut ahead, &evaluation);
    let again = Evaluation { attempts: 7, ..Evaluation::clone(&evaluation) };
    committed.put_evaluation(again);
    assert!(overtakes(&committed, &ahead, NOW), "it is blocked ahead, by a plan that is not the last");
}
