//! What the servers of a run have in their logs, when they have ended: each entry is applied once more, server beside
//! server, and the steps are held against all [`invariants`] that need no more than that.
//!
//! A server's folder holds its last snapshot and what came after, and to judge a step costs as much as there is in the
//! state: after a long run only the last steps are judged. Entries that a server did not know to be committed are left
//! out: they need not be the same everywhere.

use std::collections::{BTreeSet, VecDeque};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use invariants::{Auditor, Violation};
use model::{Index, ServerId, Term};
use seams::RealDisk;
use server::authority::{SERVER_FILE, ServerDocument};
use server::backup::RAFT_FOLDER;
use server::raft::{FrozenState, Machine, inspect};
use server_core::apply::{Applied, apply};
use server_core::command::Entry;
use server_core::state::State;

/// How many steps are judged, times what there may be in the state: a minute's work, about.
const WORK_MAX: usize = 60_000_000;

/// What was found.
#[derive(Debug, Default)]
pub struct Audited {
    /// Servers whose folders were read.
    pub servers: usize,
    /// Entries that were judged, those of each server counted.
    pub entries: usize,
    /// What must never be.
    pub violations: Vec<Violation>,
    /// The state of the server that had come furthest.
    pub newest: State,
}

/// Reads the folders of all servers that ran with a data folder in `run` and run no more.
///
/// # Panics
/// If one can't be read.
pub fn servers(run: &Path) -> Audited {
    let mut logs: Vec<Log> = homes(run).iter().map(|home| Log::read(home)).collect();
    // There is nothing in a state but what it began with, and what entries brought. Indexes may leap, at a restore.
    let indexes: BTreeSet<Index> = logs.iter().flat_map(|log| log.entries.iter().map(|(index, ..)| *index)).collect();
    let size = logs.iter().map(|log| log.state.evaluations().count()).max().unwrap_or_default() + indexes.len();
    let judged_from = indexes.iter().rev().nth(WORK_MAX / size.max(1)).copied().unwrap_or_default();
    let mut auditor = Auditor::default();
    let mut found = Audited { servers: logs.len(), ..Audited::default() };
    for log in &mut logs {
        while log.next().is_some_and(|next| next < judged_from) {
            log.step();
        }
        found.violations.extend(auditor.restored(log.server, &log.state));
    }
    // What one has applied, the others apply before anybody goes on.
    while let Some(log) = logs.iter_mut().filter(|log| log.next().is_some()).min_by_key(|log| log.next()) {
        let Some((index, term, entry, applied)) = log.step() else { break };
        found.entries += 1;
        found.violations.extend(auditor.applied(log.server, entry.at, index, term, &entry, &applied, &log.state));
    }
    found.newest = logs.into_iter().map(|log| log.state).max_by_key(State::index).unwrap_or_default();
    found
}

/// The folders of servers, which lie in the data folders of their processes.
fn homes(run: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(run).into_iter().flatten().flatten();
    let mut homes: Vec<_> = entries.map(|entry| entry.path().join("server")).collect();
    homes.retain(|home| home.join(SERVER_FILE).exists());
    homes.sort();
    homes
}

/// What a server holds: the state that it began with, and what it knows to be committed since.
#[derive(Default)]
struct Log {
    server: ServerId,
    state: State,
    entries: VecDeque<(Index, Term, Bytes)>,
}

impl Log {
    fn read(home: &Path) -> Self {
        let document: ServerDocument = fs::read(home.join(SERVER_FILE))
            .ok()
            .and_then(|text| serde_json::from_slice(&text).ok())
            .expect("it is JSON");
        let mut log = Self { server: document.id, ..Self::default() };
        let folder = home.join(RAFT_FOLDER);
        let read = inspect(Arc::new(RealDisk), &folder, document.cluster, document.id, &mut log);
        let inspection = read.unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        log.entries.retain(|(index, ..)| *index <= inspection.committed);
        log
    }

    fn next(&self) -> Option<Index> {
        self.entries.front().map(|(index, ..)| *index)
    }

    /// Applies the next entry.
    fn step(&mut self) -> Option<(Index, Term, Entry, Applied)> {
        let (index, term, bytes) = self.entries.pop_front()?;
        let entry = Entry::decode(&bytes).unwrap_or_else(|error| panic!("entry {index} of {}: {error}", self.server));
        let applied = apply(&mut self.state, index, term, &entry);
        Some((index, term, entry, applied))
    }
}

/// It keeps what a server would apply.
impl Machine for Log {
    fn apply(&mut self, index: Index, term: Term, entry: &[u8]) -> Bytes {
        self.entries.push_back((index, term, Bytes::copy_from_slice(entry)));
        Bytes::new()
    }

    fn advanced(&mut self, _index: Index) {}

    fn freeze(&self) -> Box<dyn FrozenState> {
        unreachable!("what is only read takes no snapshots")
    }

    fn restore(&mut self, snapshot: &[u8]) -> io::Result<()> {
        self.state = State::decode(snapshot).map_err(io::Error::other)?;
        // What led to a state is no part of it.
        let _ = self.state.take_chain();
        Ok(())
    }
}
