//! Schedules on paper: three nodes, one job, and the decision with its reasons.
//!
//! `cargo run --profile ci -p server-core --example place`

use std::sync::Arc;

use model::testing::{job, node};
use model::{EvaluationStatus, Timestamp};
use server_core::apply::apply;
use server_core::command::{Command, Entry};
use server_core::schedule::schedule;
use server_core::state::State;

fn main() {
    let mut web = job("web").count(6);
    web.groups[0].tasks[0].resources.memory = 700;
    let nodes = [node("n1").memory(2048), node("n2").memory(1024), node("n3").memory(512)];
    let register = |node| Command::RegisterNode { node: Arc::new(node), session: None };
    let run = Command::RegisterJob { job: Arc::new(web), check_index: None, submission: None };

    let mut state = State::default();
    for (index, command) in (1..).zip(nodes.map(register).into_iter().chain([run])) {
        let entry = Entry { at: Timestamp::default(), request: None, caller: String::new(), command };
        apply(&mut state, index, 1, &entry);
    }
    let evaluation = state.open_evaluations(EvaluationStatus::Pending).next().expect("the job is to be evaluated");
    let decision = schedule(&state, evaluation, Timestamp::default());

    println!("{:?}", decision.counts);
    for placement in &decision.plan.placements {
        let node = state.node(placement.node).map_or("?", |node| &node.name);
        println!("{} × {} on {node}", placement.count, placement.group);
    }
    for (group, unplaced) in &decision.plan.outcome.unplaced {
        println!("{} × {group} found no room:", unplaced.count);
        for miss in &unplaced.nearest {
            let misfits: Vec<_> = miss.misfits.iter().map(ToString::to_string).collect();
            println!("  {}: {}", miss.node_name, misfits.join("; "));
        }
    }
}
