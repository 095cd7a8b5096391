//! The ranking and the index choose what a scan of all nodes chooses.

use std::sync::Arc;

use model::testing::{job, node};
use model::{Algorithm, EvaluationStatus, Job, Timestamp};
use proptest::prelude::*;

use super::*;
use crate::apply::{Answer, apply};
use crate::command::{Command, Entry, SchedulerConfiguration};
use crate::schedule::schedule;

fn carry_out(state: &mut State, command: Command) {
    let entry = Entry { at: Timestamp::default(), request: None, caller: String::new(), command };
    let index = state.index() + 1;
    let answer = apply(state, index, 1, &entry).answer;
    assert!(matches!(answer, Answer::Accepted(_)), "{answer:?}");
}

fn register(state: &mut State, job: Job) {
    carry_out(state, Command::RegisterJob { job: Arc::new(job), check_index: None, submission: None });
}

fn asking(id: &str, (count, cpu, memory): (u32, u64, u64)) -> Job {
    let mut job = job(id).count(count);
    job.groups[0].tasks[0].resources = model::TaskResources { cpu, memory, ..Default::default() };
    job
}

/// Nodes of these sizes, with instances of another job on them.
fn cluster(sizes: &[(u64, u64)], base: (u32, u64, u64), algorithm: Algorithm) -> State {
    let mut state = State::default();
    let configuration = SchedulerConfiguration { algorithm, ..Default::default() };
    carry_out(&mut state, Command::SetSchedulerConfiguration { configuration, check_index: None });
    for (at, (cpu, memory)) in sizes.iter().enumerate() {
        let node = node(&format!("n{at}")).cpu(*cpu).memory(*memory);
        carry_out(&mut state, Command::RegisterNode { node: Arc::new(node), session: None });
    }
    register(&mut state, asking("base", base));
    let pending = state.open_evaluations(EvaluationStatus::Pending).next().cloned().expect("it was just registered");
    let mut plan = schedule(&state, &pending, Timestamp::default()).plan;
    plan.term = state.term();
    carry_out(&mut state, Command::Plan(Box::new(plan)));
    state
}

/// A cluster in which `web` waits to be placed.
fn with_web(sizes: &[(u64, u64)], base: (u32, u64, u64), web: (u32, u64, u64), spread: bool) -> State {
    let mut state = cluster(sizes, base, if spread { Algorithm::Spread } else { Algorithm::Binpack });
    register(&mut state, asking("web", web));
    state
}

fn ask() -> impl Strategy<Value = (u32, u64, u64)> {
    (1..15u32, 50..500u64, 50..500u64)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn each_chosen_node_is_the_one_that_a_full_scan_chooses(
        sizes in proptest::collection::vec((100..2000u64, 100..2000u64), 1..12),
        base in ask(),
        web in ask(),
        spread in any::<bool>(),
    ) {
        let state = with_web(&sizes, base, web, spread);
        let mut fleet = Fleet::of(&state);
        let version = state.job(&model::JobKey::new("default", "web")).expect("registered").current().clone();
        let want = Want::fresh("web", &version);
        let (group, none) = (&version.job.groups[0], BTreeSet::new());
        let mut chooser = Chooser::new(&state, &mut fleet, EvaluationId::derive(&[b"property"]), &want, group, &none, &[]);
        for _ in 0..web.0 {
            let scanned = chooser.best_of_all(&want).map(|(at, _)| at);
            prop_assert_eq!(chooser.choose_by_rank(1).pop().map(|(at, ..)| at), scanned);
        }
    }

    #[test]
    fn each_node_that_is_found_by_index_is_the_one_that_a_full_scan_chooses(
        sizes in proptest::collection::vec((100..2000u64, 100..2000u64), 1..40),
        twins in 0..4usize,
        // So many that what usually runs is known.
        base in (1..60u32, 50..300u64, 50..300u64),
        web in ask(),
        spread in any::<bool>(),
    ) {
        // Of some sizes there are several, so that nodes are equal.
        let sizes: Vec<_> = sizes.iter().flat_map(|size| std::iter::repeat_n(*size, 1 + twins)).collect();
        let state = with_web(&sizes, base, web, spread);
        let mut fleet = Fleet::of(&state);
        let version = state.job(&model::JobKey::new("default", "web")).expect("registered").current().clone();
        let want = Want::fresh("web", &version);
        let (group, none) = (&version.job.groups[0], BTreeSet::new());
        let mut chooser = Chooser::new(&state, &mut fleet, EvaluationId::derive(&[b"property"]), &want, group, &none, &[]);
        for _ in 0..web.0 {
            let scanned = chooser.best_of_all(&want).map(|(at, _)| at);
            prop_assert_eq!(chooser.search(1).pop().map(|(at, ..)| at), scanned);
        }
    }
}
