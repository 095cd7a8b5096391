//! What is over is kept to the end of its time, and forgotten in batches.

use model::testing::{job, node};
use model::{ClientStatus, DeploymentId, DeploymentStatus, EvaluationId, EvaluationStatus, JobKey, Node, Trigger};

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
    match next(state, now, 1) {
        None => [0; 4],
        Some(Command::Collect { evaluations, allocations, deployments, jobs, nodes, .. }) => {
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
        let batch = next(&state, now, 1).expect("there is one");
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

/// A job whose one instance runs on a node.
fn running(state: &mut State) -> Arc<Allocation> {
    let node = model::testing::node("n1");
    carry_out(state, ENDED, Command::RegisterNode { node: Arc::new(node), session: None });
    register(state, ENDED);
    let evaluation = state.evaluations().find(|known| !known.status.is_terminal()).expect("it is pending").clone();
    let plan = crate::schedule::schedule(state, &evaluation, ENDED).plan;
    carry_out(state, ENDED, Command::Plan(Box::new(crate::plan::Plan { term: 1, ..plan })));
    state.allocations().next().expect("it was placed").clone()
}

fn end(state: &mut State, allocation: &Allocation, status: ClientStatus) {
    let mut ended = allocation.clone();
    ended.client_status = status;
    ended.modified_at = ENDED;
    state.put_allocation(ended);
}

/// Evaluations, allocations, deployments, jobs and nodes that would be forgotten now.
fn all_sizes(state: &State, now: Timestamp, at_once: bool) -> [usize; 5] {
    match if at_once { next_at_once(state, now) } else { next(state, now, 1) } {
        None => [0; 5],
        Some(Command::Collect { evaluations, allocations, deployments, jobs, nodes, .. }) => {
            [evaluations.len(), allocations.len(), deployments.len(), jobs.len(), nodes.len()]
        }
        Some(other) => panic!("{other:?}"),
    }
}

/// Long after everything.
fn late() -> Timestamp {
    ENDED + NODE_KEPT * 10
}

#[test]
fn what_a_person_has_collected_is_forgotten_at_any_age() {
    let mut state = State::default();
    state.put_evaluation(evaluation(0, JobType::Service));
    state.put_evaluation(evaluation(1, JobType::Batch));
    state.put_deployment(deployment(0));
    state.nodes.insert(down(0).id, Arc::new(down(0)));
    assert_eq!(all_sizes(&state, ENDED, false), [0; 5]);
    assert_eq!(all_sizes(&state, ENDED, true), [2, 0, 1, 0, 1]);
}

#[test]
fn a_job_that_a_person_has_collected_is_forgotten_as_soon_as_it_is_dead() {
    let mut state = State::default();
    register(&mut state, ENDED);
    assert_eq!(all_sizes(&state, ENDED, true)[3], 0);
    stop(&mut state, ENDED);
    assert_eq!(all_sizes(&state, ENDED, true)[3], 1);
}

#[test]
fn an_evaluation_is_kept_while_something_that_it_placed_runs() {
    let mut state = State::default();
    let allocation = running(&mut state);
    let terminal = |state: &State| state.evaluations().filter(|known| known.status.is_terminal()).count();
    assert_eq!((terminal(&state), all_sizes(&state, late(), true)), (1, [0; 5]));
    stop(&mut state, ENDED);
    assert_eq!(all_sizes(&state, late(), true)[1], 0, "it was told to stop, and has not been observed gone");
    end(&mut state, &allocation, ClientStatus::Complete);
    assert_eq!(all_sizes(&state, late(), false)[..2], [terminal(&state), 1]);
}

#[test]
fn a_failed_instance_is_kept_while_its_job_lives_and_forgotten_when_that_is_stopped() {
    let mut state = State::default();
    let allocation = running(&mut state);
    end(&mut state, &allocation, ClientStatus::Failed);
    assert_eq!(all_sizes(&state, late(), false), [0; 5]);
    stop(&mut state, ENDED);
    assert_eq!(all_sizes(&state, late(), false)[1], 1);
}

#[test]
fn the_evaluations_of_a_batch_job_are_kept_while_it_lives() {
    let mut state = State::default();
    register(&mut state, ENDED);
    stop(&mut state, ENDED);
    register(&mut state, ENDED);
    let key = JobKey::new("default", "web");
    let of_batch = Evaluation { job: key, ..evaluation(0, JobType::Batch) };
    let of_another = evaluation(1, JobType::Batch);
    let kept = of_batch.id;
    state.put_evaluation(of_batch);
    state.put_evaluation(of_another);
    let Some(Command::Collect { evaluations, .. }) = next(&state, late(), 1) else { panic!("some are old") };
    assert!(!evaluations.contains(&kept));
}

#[test]
fn a_dead_job_is_kept_while_something_of_it_is_open() {
    let mut state = State::default();
    let allocation = running(&mut state);
    carry_out(&mut state, ENDED, Command::DeregisterJob { job: JobKey::new("default", "web"), purge: false });
    assert_eq!(all_sizes(&state, late(), true)[3], 0, "its instance has not been observed gone");
    end(&mut state, &allocation, ClientStatus::Complete);
    assert_eq!(all_sizes(&state, late(), true)[3], 0, "its evaluation is pending");
    let open: Vec<_> = state.evaluations().filter(|known| !known.status.is_terminal()).cloned().collect();
    for known in open {
        state.put_evaluation(Evaluation { status: EvaluationStatus::Complete, ..Evaluation::clone(&known) });
    }
    assert_eq!(all_sizes(&state, late(), true)[3], 1);
}

#[test]
fn a_node_that_is_down_is_kept_while_it_may_still_run_something() {
    let mut state = State::default();
    let allocation = running(&mut state);
    let down = Node { status: NodeStatus::Down, status_at: ENDED, ..node("n1") };
    state.nodes.insert(down.id, Arc::new(down));
    assert_eq!(all_sizes(&state, late(), true)[4], 0);
    end(&mut state, &allocation, ClientStatus::Complete);
    assert_eq!(all_sizes(&state, late(), true)[4], 1);
}
