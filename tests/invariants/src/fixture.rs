//! A small cluster to break: two nodes and a job of two instances, and entries that are applied to it.

use std::sync::Arc;

use model::testing::{job, node};
use model::{Allocation, AllocationId, ClientStatus, Index, Job, NodeId, Observation, Term, Timestamp};
use server_core::apply::{Applied, apply};
use server_core::command::{Command, Entry};
use server_core::schedule::schedule;
use server_core::state::{Change, State};

use super::{Step, Violation};

/// When it plays.
pub const START: Timestamp = Timestamp::from_seconds(1_000_000);

/// An entry with what it did.
pub struct Played {
    pub index: Index,
    pub term: Term,
    pub entry: Entry,
    pub applied: Applied,
    pub before: State,
    pub after: State,
}

impl Played {
    pub fn step(&self) -> Step<'_> {
        let Self { index, term, entry, applied, before, after } = self;
        Step { index: *index, term: *term, entry, applied, before, after }
    }

    /// What a check of steps says of it.
    pub fn found(&self, check: fn(&Step<'_>, &mut Vec<Violation>)) -> Vec<Violation> {
        let mut violations = Vec::new();
        check(&self.step(), &mut violations);
        violations
    }

    /// The same entry, had it left this allocation so.
    pub fn leaving(mut self, id: AllocationId, bend: impl FnOnce(&mut Allocation)) -> Self {
        let mut allocation = (**self.after.allocation(id).expect("it is there")).clone();
        bend(&mut allocation);
        server_core::testing::put_allocation(&mut self.after, allocation);
        self
    }
}

/// Applies a command.
pub fn play(state: &mut State, command: Command) -> Played {
    play_at(state, START, command)
}

pub fn play_at(state: &mut State, at: Timestamp, command: Command) -> Played {
    let entry = Entry { at, request: None, caller: String::new(), command };
    let (index, term, before) = (state.index() + 1, state.term().max(1), state.clone());
    let applied = apply(state, index, term, &entry);
    let played = Played { index, term, entry, applied, before, after: state.clone() };
    assert!(played.step().is_accepted(), "{:?}", played.applied.answer);
    played
}

/// Decides everything that is pending; the last entry.
pub fn plan(state: &mut State) -> Played {
    let mut last = None;
    let next = |state: &State| state.open_evaluations(model::EvaluationStatus::Pending).next().cloned();
    while let Some(evaluation) = next(state) {
        let plan = schedule(state, &evaluation, START).plan;
        let term = state.term();
        last = Some(play(state, Command::Plan(Box::new(server_core::plan::Plan { term, ..plan }))));
    }
    last.expect("something was pending")
}

pub fn register(state: &mut State, job: Job) -> Played {
    play(state, Command::RegisterJob { job: Arc::new(job), check_index: None, submission: None })
}

pub fn observe(state: &mut State, id: AllocationId, status: ClientStatus, healthy: Option<bool>) -> Played {
    let node = state.allocation(id).expect("it is there").node;
    play(
        state,
        Command::Observe {
            nodes: vec![(node, vec![observation(id, status, healthy).packed()])],
            sessions: Default::default(),
        },
    )
}

/// A change of an allocation that is not new.
pub fn changed(id: AllocationId, desired: bool) -> Change {
    Change::Allocation { id, node: NodeId::from_hash([0; 16]), created: false, desired }
}

pub fn observation(id: AllocationId, client_status: ClientStatus, healthy: Option<bool>) -> Observation {
    Observation {
        allocation: id,
        client_status,
        client_description: String::new(),
        tasks: Default::default(),
        healthy,
        healthy_at: None,
        checks: Default::default(),
        network_address: None,
    }
}

/// Two nodes, and a job of two instances that run and are healthy.
pub fn cluster() -> State {
    cluster_of(job("web").count(2))
}

pub fn cluster_of(job: Job) -> State {
    let mut state = State::default();
    for name in ["n1", "n2"] {
        play(&mut state, Command::RegisterNode { node: Arc::new(node(name)), session: None });
    }
    register(&mut state, job);
    plan(&mut state);
    for id in ids(&state) {
        observe(&mut state, id, ClientStatus::Running, Some(true));
    }
    if state.open_evaluations(model::EvaluationStatus::Pending).next().is_some() {
        plan(&mut state);
    }
    state
}

/// All allocations.
pub fn ids(state: &State) -> Vec<AllocationId> {
    state.allocations().map(|allocation| allocation.id).collect()
}

pub fn node_id(name: &str) -> NodeId {
    node(name).id
}

/// The state, had this allocation been changed.
pub fn bend(state: &State, id: AllocationId, bend: impl FnOnce(&mut Allocation)) -> State {
    let mut bent = state.clone();
    let mut allocation = (**state.allocation(id).expect("it is there")).clone();
    bend(&mut allocation);
    server_core::testing::put_allocation(&mut bent, allocation);
    bent
}

/// What a check of states says of it.
pub fn found(state: &State, check: fn(&State, &mut Vec<Violation>)) -> Vec<Violation> {
    let mut violations = Vec::new();
    check(state, &mut violations);
    violations
}

/// So many seconds after the start.
pub fn after(seconds: i64) -> Timestamp {
    Timestamp(START.0 + Timestamp::from_seconds(seconds).0)
}
