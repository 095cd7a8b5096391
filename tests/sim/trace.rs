//! What a simulation did: a line for every entry that a server applied, and for everything that was done to it.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use model::{Index, ServerId, Term};
use server::Witness;
use server_core::apply::{Answer, Applied};
use server_core::command::Entry;
use server_core::state::State;

use super::clock::SimClock;
use invariants::Violation;

/// Collects lines and violations.
pub struct Trace {
    clock: Arc<SimClock>,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    lines: String,
    violations: Vec<Violation>,
}

impl Trace {
    /// An empty trace whose lines carry the virtual time.
    pub fn new(clock: Arc<SimClock>) -> Arc<Self> {
        Arc::new(Self { clock, kept: Mutex::default() })
    }

    /// Adds a line.
    pub fn say(&self, line: impl std::fmt::Display) {
        let at = self.clock.elapsed_ms();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = writeln!(kept.lines, "{:>7}.{:03} {line}", at / 1000, at % 1000);
    }

    /// Adds a violation that was not found by an invariant over the state.
    pub fn violate(&self, violation: Violation) {
        self.say(format_args!("VIOLATION {violation}"));
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).violations.push(violation);
    }

    /// All lines so far.
    pub fn lines(&self) -> String {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).lines.clone()
    }

    /// All violations so far.
    pub fn violations(&self) -> Vec<Violation> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).violations.clone()
    }

    /// What server `id` shows its entries to.
    pub fn witness(self: &Arc<Self>, id: ServerId) -> Arc<dyn Witness> {
        Arc::new(ServerWitness { trace: self.clone(), id })
    }
}

struct ServerWitness {
    trace: Arc<Trace>,
    id: ServerId,
}

impl Witness for ServerWitness {
    fn applied(&self, index: Index, term: Term, entry: &Entry, applied: &Applied, state: &State) {
        let answer = match &applied.answer {
            Answer::Accepted(_) => "accepted".to_string(),
            Answer::Rejected(rejection) => format!("rejected: {rejection}"),
        };
        // The whole entry would be too long to read; its hash makes two traces differ where their entries do.
        let hash = blake3::hash(&entry.encode()).to_hex();
        let name = entry.command.name();
        self.trace.say(format_args!("s{} applied {index} term {term} {name} {answer} {}", self.id, &hash[..12]));
        for violation in invariants::check(state) {
            self.trace.violate(violation);
        }
    }
}
