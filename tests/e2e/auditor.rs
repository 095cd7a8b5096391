//! Looks at a cluster all the while it runs, whatever the tests do to it: at the containers that Docker has of it, and then at
//! the whole state of its servers, which a backup tells. What comes of that is held against the invariants:
//!
//! - what is wrong with a state by itself (I7–I9, I31–I33);
//! - what is over does not start again (I11), and what shall stop is gone in time (I14);
//! - a container that no allocation speaks for does not stay (I15);
//! - a container of what is wanted and runs is the same as long as its agent tells no end, whatever becomes of agents (I16)
//!   and servers (I17).
//!
//! Without an answer of a server it says nothing, and what it had seen begin begins anew.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use invariants::{Ends, Leftovers, Orphans, Unexplained, Violation, check};
use model::{AllocationId, NodeStatus, Timestamp};
use server::backup;
use server_core::state::State;

use super::clock;
use super::docker::{self, Container};
use super::http;

/// Pause between two looks.
const PAUSE: Duration = Duration::from_millis(500);
const ANSWER_WITHIN: Duration = Duration::from_secs(1);

/// Who looks, until it is dropped.
#[derive(Debug)]
pub struct Auditor {
    findings: Arc<Mutex<Findings>>,
    thread: JoinHandle<()>,
    // Looks end when this is gone.
    _goes_on: Sender<()>,
}

/// What was seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// Looks that a server answered.
    pub looks: usize,
    /// What was wrong.
    pub violations: Vec<Violation>,
}

impl Auditor {
    /// Looks at the containers that bear this label, and asks these servers.
    pub fn begin(label: String, servers: Vec<SocketAddr>) -> Self {
        let findings: Arc<Mutex<Findings>> = Arc::default();
        let (goes_on, over) = mpsc::channel();
        let found = findings.clone();
        #[expect(clippy::disallowed_methods, reason = "it looks at processes that run for real, beside the tests")]
        let thread = std::thread::spawn(move || {
            let mut judge = Judge::default();
            while over.recv_timeout(PAUSE) == Err(RecvTimeoutError::Timeout) {
                let containers = docker::containers(&label);
                let state = servers.iter().find_map(|server| state_of(*server));
                let violations = judge.sees(now(), &containers, state.as_ref());
                let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
                found.looks += usize::from(state.is_some());
                found.violations.extend(violations);
            }
        });
        Self { findings, thread, _goes_on: goes_on }
    }

    /// What was seen since it was last asked.
    ///
    /// # Panics
    /// If it looks no more.
    pub fn findings(&self) -> Findings {
        assert!(!self.thread.is_finished(), "the auditor ended by itself");
        std::mem::take(&mut *self.findings.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Everything that was acknowledged before; none if the server does not answer.
pub fn state_of(server: SocketAddr) -> Option<State> {
    let reply = http::ask(server, "GET", "/v1/operator/snapshot", b"", ANSWER_WITHIN).ok()?;
    let backup = backup::read(&reply.body).ok().filter(|_| reply.status == 200)?;
    Some(State::decode(&backup.state).expect("a server writes what it can read"))
}

/// The time, by the clock that Docker has.
pub fn now() -> Timestamp {
    Timestamp(i64::try_from(clock::now_ns()).expect("it is within some centuries of 1970"))
}

/// Remembers what was seen, and says what is wrong.
#[derive(Debug, Default)]
pub struct Judge {
    ends: Ends,
    leftovers: Leftovers,
    orphans: Orphans,
    unexplained: Unexplained,
}

impl Judge {
    /// The containers were seen, and then, until `now`, the state that all servers agree on.
    pub fn sees(&mut self, now: Timestamp, containers: &[Container], state: Option<&State>) -> Vec<Violation> {
        let Some(state) = state else {
            // Agents could not hear what is not wanted.
            (self.leftovers, self.orphans) = Default::default();
            return Vec::new();
        };
        let running = |container: &&Container| container.running;
        let all: Vec<_> = containers.iter().filter(running).map(Container::found).collect();
        let mut violations = check(state);
        violations.extend(self.ends.found(&all));
        violations.extend(self.unexplained.found(now, &all, state));
        for node in state.nodes() {
            if node.status != NodeStatus::Ready {
                self.leftovers.unreachable(node.id);
                self.orphans.unattended(node.id);
                continue;
            }
            let there = containers.iter().filter(running).filter(|container| container.node == node.name);
            let there: Vec<_> = there.map(Container::found).collect();
            let known: BTreeSet<AllocationId> = state.allocations_of_node(node.id).map(|known| known.id).collect();
            violations.extend(self.leftovers.found(now, node.id, &there, state));
            violations.extend(self.orphans.found(now, node.id, &there, &known));
        }
        self.ends.sees(now, state);
        violations
    }
}
