//! A log and the state that it gave, kept byte for byte: every release reads them, and the same log still gives the same
//! state.
//!
//! `UPDATE=1` writes the hash anew, which is right only if the state has gained a field; the log and the state of before
//! are never written again.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use model::testing::{job, node};
use model::{
    ClientStatus, ClusterId, EvaluationStatus, JobKey, Observation, TaskEvent, TaskPhase, TaskState, Timestamp,
};

use super::State;
use crate::apply::apply;
use crate::command::{Command, Entry, Holder, NodeSession};
use crate::plan::Plan;
use crate::schedule::schedule;

const TERM: u64 = 1;

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/state/golden").join(name)
}

/// A cluster's story, told by its log.
#[derive(Default)]
struct Story {
    state: State,
    entries: Vec<Vec<u8>>,
}

impl Story {
    fn tell(&mut self, command: Command) {
        let at = Timestamp::from_seconds(1_000 + self.entries.len() as i64);
        let request = Some([self.entries.len() as u8; 16]);
        let bytes = Entry { at, request, caller: "ann".into(), command }.encode();
        advance(&mut self.state, &bytes);
        self.entries.push(bytes);
    }

    fn plan(&mut self) {
        loop {
            let pending = self.state.open_evaluations(EvaluationStatus::Pending).next().cloned();
            let Some(evaluation) = pending else { return };
            let plan = schedule(&self.state, &evaluation, Timestamp::from_seconds(2_000)).plan;
            self.tell(Command::Plan(Box::new(Plan { term: TERM, ..plan })));
        }
    }

    fn observe(&mut self, client_status: ClientStatus) {
        let observe = |allocation: &Arc<model::Allocation>| {
            let observation = Observation {
                allocation: allocation.id,
                client_status,
                client_description: String::new(),
                tasks: BTreeMap::from([("main".into(), task())]),
                healthy: Some(true),
                healthy_at: None,
                checks: Default::default(),
                network_address: None,
            };
            (allocation.node, vec![observation.packed()])
        };
        let nodes = self.state.allocations().map(observe).collect();
        self.tell(Command::Observe { nodes, sessions: Default::default() });
    }
}

/// A task of which all is told: in known words, in others, and with facts.
fn task() -> TaskState {
    let event = |kind: &str, message: &str, details: &[(&str, &str)]| TaskEvent {
        kind: kind.into(),
        at: Timestamp::from_seconds(3_000),
        message: message.into(),
        details: details.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect(),
    };
    TaskState {
        phase: TaskPhase::Running,
        restarts: 1,
        last_restart: Some(Timestamp::from_seconds(3_000)),
        started_at: Some(Timestamp::from_seconds(3_000)),
        events: vec![
            event("Received", "Task received by client", &[]),
            event("Terminated", "Exit code 1", &[("exit_code", "1")]),
            event("Restarting", "Task restarting in 5s", &[]),
        ],
        ..TaskState::default()
    }
}

/// What the newest log was made of.
fn story() -> Story {
    let mut story = Story::default();
    story.tell(Command::InitializeCluster { cluster: ClusterId::from_hash([7; 16]) });
    for name in ["n1", "n2", "n3"] {
        let holder = Holder { key: [1; 32], host: Some([2; 32]) };
        story.tell(Command::RegisterNode { node: Arc::new(node(name)), session: Some(NodeSession::BegunBy(holder)) });
    }
    let register = |job| Command::RegisterJob { job: Arc::new(job), check_index: None, submission: None };
    story.tell(register(job("web").count(3)));
    story.plan();
    story.observe(ClientStatus::Running);
    story.tell(register(job("web").count(5)));
    story.plan();
    story.tell(register(job("batch").of_type(model::JobType::Batch)));
    story.plan();
    story.observe(ClientStatus::Running);
    story.tell(Command::DeregisterJob { job: JobKey::new("default", "batch"), purge: false });
    story.plan();
    // More than any node has.
    let mut large = job("large");
    large.groups[0].tasks[0].resources.cpu = 1_000_000;
    story.tell(register(large));
    story.plan();
    story
}

fn advance(state: &mut State, entry: &[u8]) {
    let entry = Entry::decode(entry).expect("what was written is read");
    let index = state.index() + 1;
    apply(state, index, TERM, &entry);
}

/// The log as one file: each entry behind its length.
fn joined(entries: &[Vec<u8>]) -> Vec<u8> {
    let length = |entry: &Vec<u8>| u32::try_from(entry.len()).expect("entries are small").to_le_bytes();
    entries.iter().flat_map(|entry| [length(entry).to_vec(), entry.clone()].concat()).collect()
}

fn replayed(mut log: &[u8]) -> State {
    let mut state = State::default();
    while let Some((length, rest)) = log.split_first_chunk::<4>() {
        let (entry, rest) = rest.split_at(u32::from_le_bytes(*length) as usize);
        advance(&mut state, entry);
        log = rest;
    }
    state
}

/// Of each release that wrote something in another way, oldest first; the last is this one's way. Of the first, allocations
/// and what is told of tasks have all their names; up to the second, plans name no evaluations; up to the
/// third, states do not say when their newest entry happened; up to the fourth, sessions of agents do not say whose they are.
const GENERATIONS: [u32; 5] = [1, 2, 3, 4, 5];

#[test]
fn a_log_of_before_gives_the_state_that_it_gave() {
    for generation in GENERATIONS {
        let [log_file, state_file, hash_file] =
            ["entries", "state", "hash"].map(|kind| file(&format!("{generation}.{kind}")));
        let update = std::env::var_os("UPDATE").is_some();
        if update && !log_file.exists() {
            let story = story();
            std::fs::write(&log_file, joined(&story.entries)).expect("the checkout can be written to");
            std::fs::write(&state_file, story.state.encode()).expect("the checkout can be written to");
        }
        let read = |file| std::fs::read(file).expect("the golden file is there");
        let replayed = replayed(&read(&log_file));
        assert!(replayed.allocations().count() >= 6, "the story has allocations");
        let restored = State::decode(&read(&state_file)).expect("a state of before is read");
        let encoded = replayed.encode();
        assert_eq!(restored.index(), replayed.index());
        assert!(restored.encode() == encoded, "the log of before and the state of before are not the same any more");
        let hash = format!("{}\n", blake3::hash(&encoded));
        if update {
            std::fs::write(&hash_file, &hash).expect("the checkout can be written to");
        }
        let known = String::from_utf8(read(&hash_file));
        assert_eq!(known.as_ref(), Ok(&hash), "the same log of generation {generation} gives another state");
    }
}
