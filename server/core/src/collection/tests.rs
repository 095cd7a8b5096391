//! What is over is kept to the end of its time, and forgotten in batches.

use model::testing::{job, node};
use model::{DeploymentId, DeploymentStatus, EvaluationId, EvaluationStatus, JobKey, Node, Trigger};

use super::*;
use crate::apply::{Answer, apply};
use crate::command::Entry;

const ENDED: Timestamp = Timestamp::from_seconds(1_000_000);
const INSTANT: Duration = Duration::from_nanos(1);

fn evaluation(number: usize, kind: JobType) -> Evaluation {
    Evaluation {
        id: EvaluationId::derive(&[&number.to_le_bytes()]),
        job: JobKey::new("default", "gone"),
        kind,
        priority: 50,
        trigger: Trigger::JobRegister,
        node: None,
        deployment: None,
        status: EvaluationStatus::Complete,
        description: String::new(),
        wait_until: None,
        previous: None,
        next: None,
        blocked: None,
        unplaced: BTreeMap::new(),
        queued: BTreeMap::new(),
        attempts: 1,
        snapshot_index: 1,
        create_index: 1,
        modify_index: 1,
        created_at: ENDED,
        modified_at: ENDED,
    }
}

fn deployment(number: usize) -> Deployment {
    Deployment {
        id: DeploymentId::derive(&[&number.to_le_bytes()]),
        job: JobKey::new("default", "gone"),
        job_version: 0,
        job_create_index: 1,
        groups: BTreeMap::new(),
        status: DeploymentStatus::Successful,
        description: String::new(),
        create_index: 1,
        modify_index: 1,
        created_at: ENDED,
        modified_at: ENDED,
    }
}

fn down(number: usize) -> Node {
    Node { status: NodeStatus::Down, status_at: ENDED, ..node(&format!("n{number}")) }
}

fn carry_out(state: &mut State, at: Timestamp, command: Command) {
    let index = state.index() + 1;
    let answer = apply(state, index, 1, &Entry { at, request: None, caller: String::new(), command }).answer;
    assert!(matches!(answer, Answer::Accepted(_)), "{answer:?}");
}

fn stop(state: &mut State, at: Timestamp) {
    carry_out(state, at, Command::DeregisterJob { job: JobKey::new("default", "web"), purge: false });
    // Nobody plans here: what the two commands wished for is as good as done.
    let open: Vec<_> = state.evaluations().filter(|known| !known.status.is_terminal()).cloned().collect();
    for known in open {
        state.put_evaluation(Evaluation { status: EvaluationStatus::Complete, ..Evaluation::clone(&known) });
    }
}

fn register(state: &mut State, at: Timestamp) {
    let job = Arc::new(job("web"));
    carry_out(state, at, Command::RegisterJob { job, check_index: None, submission: None });
}

/// Evaluations, deployments, jobs and nodes of the next batch.
fn sizes(state: &State, now: Timestamp) -> [usize; 4] {
    match next(state, now, false) {
        None => [0; 4],
        Some(Command::Collect { evaluations, allocations, deployments, jobs, nodes }) => {
            assert_eq!(allocations, []);
            [evaluations.len(), deployments.len(), jobs.len(), nodes.len()]
        }
        Some(other) => panic!("{other:?}"),
    }
}

/// What `put` puts there is kept until it is so old.
#[track_caller]
fn check_kept(kept: Duration, put: impl FnOnce(&mut State), wanted: [usize; 4]) {
    let mut state = State::default();
    put(&mut state);
    assert_eq!(sizes(&state, ENDED + (kept - INSTANT)), [0; 4]);
    assert_eq!(sizes(&state, ENDED + kept), wanted);
}

#[test]
fn what_is_over_is_kept_to_the_end_of_its_time() {
    check_kept(EVALUATION_KEPT, |state| state.put_evaluation(evaluation(0, JobType::Service)), [1, 0, 0, 0]);
    check_kept(BATCH_EVALUATION_KEPT, |state| state.put_evaluation(evaluation(0, JobType::Batch)), [1, 0, 0, 0]);
    check_kept(DEPLOYMENT_KEPT, |state| state.put_deployment(deployment(0)), [0, 1, 0, 0]);
    check_kept(NODE_KEPT, |state| drop(state.nodes.insert(down(0).id, Arc::new(down(0)))), [0, 0, 0, 1]);
}

#[test]
fn a_dead_job_is_kept_to_the_end_of_its_time() {
    let put = |state: &mut State| {
        register(state, ENDED);
        stop(state, ENDED);
        let evaluations: Vec<_> = state.evaluations().map(|known| known.id).collect();
        evaluations.into_iter().for_each(|id| state.remove_evaluation(id));
    };
    check_kept(JOB_KEPT, put, [0, 0, 1, 0]);
}

#[test]
fn a_batch_is_as_large_as_the_limit_and_the_rest_comes_in_the_next() {
    for extra in [0, 1] {
        let mut state = State::default();
        for number in 0..COLLECT_BATCH_MAX + extra {
            state.put_evaluation(evaluation(number, JobType::Service));
            state.put_deployment(deployment(number));
            state.nodes.insert(down(number).id, Arc::new(down(number)));
        }
        let now = ENDED + NODE_KEPT;
        assert_eq!(sizes(&state, now), [COLLECT_BATCH_MAX, COLLECT_BATCH_MAX, 0, COLLECT_BATCH_MAX]);
        let batch = next(&state, now, false).expect("there is one");
        carry_out(&mut state, now, batch);
        assert_eq!(sizes(&state, now), [extra, extra, 0, extra]);
    }
}

#[test]
fn a_job_that_ran_long_and_whose_allocations_are_forgotten_is_kept_as_long_after_its_stop() {
    let put = |state: &mut State| {
        register(state, Timestamp::from_seconds(0));
        stop(state, ENDED);
        let evaluations: Vec<_> = state.evaluations().map(|known| known.id).collect();
        evaluations.into_iter().for_each(|id| state.remove_evaluation(id));
    };
    check_kept(JOB_KEPT, put, [0, 0, 1, 0]);
}
