//! A plan is full at its limit, and what is left waits for the next.

use std::sync::Arc;

use model::testing::{job, node};
use model::{EvaluationStatus, Job, Resources, TaskResources, Timestamp};

use super::*;
use crate::apply::{Answer, apply};
use crate::command::{Command, Entry};
use crate::plan::{Plan, Progress};
use crate::schedule::schedule;

fn carry_out(state: &mut State, command: Command) {
    let entry = Entry { at: Timestamp::default(), request: None, caller: String::new(), command };
    let index = state.index() + 1;
    let answer = apply(state, index, 1, &entry).answer;
    assert!(matches!(answer, Answer::Accepted(_)), "{answer:?}");
}

/// Instances of the next plan, and whether another follows; then the plan is applied.
fn plan_next(state: &mut State) -> (u32, Progress) {
    let pending = state.open_evaluations(EvaluationStatus::Pending).next().cloned().expect("one is pending");
    let plan = schedule(state, &pending, Timestamp::default()).plan;
    assert!(plan.outcome.unplaced.is_empty(), "there is room for all");
    let made = (plan.instances(), plan.outcome.progress.clone());
    carry_out(state, Command::Plan(Box::new(Plan { term: 1, ..plan })));
    made
}

fn wanting(count: u32) -> State {
    let mut state = State::default();
    let room = u64::from(count);
    let total = Resources { cpu_mhz: room, memory_mb: room, memory_max_mb: room, disk_mb: room };
    carry_out(&mut state, Command::RegisterNode { node: Arc::new(model::Node { total, ..node("n1") }), session: None });
    let mut job: Job = job("web").count(count);
    job.groups[0].tasks[0].resources = TaskResources { cpu: 1, memory: 1, ..TaskResources::default() };
    job.groups[0].ephemeral_disk.size_mb = 1;
    carry_out(&mut state, Command::RegisterJob { job: Arc::new(job), check_index: None, submission: None });
    state
}

#[test]
fn a_plan_holds_as_many_instances_as_the_limit_and_the_rest_comes_in_the_next() {
    assert_eq!(plan_next(&mut wanting(PLAN_INSTANCES_MAX)), (PLAN_INSTANCES_MAX, Progress::Complete));
    let mut state = wanting(PLAN_INSTANCES_MAX + 1);
    assert_eq!(plan_next(&mut state), (PLAN_INSTANCES_MAX, Progress::Continues));
    assert_eq!(plan_next(&mut state), (1, Progress::Complete));
}
