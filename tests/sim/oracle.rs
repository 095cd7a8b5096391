//! Who sees everything: every entry that every server applies, every answer that clients got, every container that a
//! runtime was asked for. Says at once what must never be.
//!
//! | what it holds against | invariants |
//! |---|---|
//! | one leader in a term | election safety |
//! | an index holds the same entry with the same result on every server, and after every restart | I2, log matching |
//! | states at the same index are equal, byte for byte | I2, I3 |
//! | a request is applied once; what was acknowledged is where it was said to be | I1, `acknowledged` |
//! | a server's indexes, and what a linearizable read gives, never go back | I4 |
//! | the state that an index brings about breaks no invariant of the package `invariants` | I7–I9, I31–I33 |
//! | what an entry changes it may change, and the brake holds | I5, I10, I11, I18, I20, I22–I27, I30, I35 |
//! | snapshots, entries and decisions give the same again | I3, I6, I21 |
//! | what is over does not run, and does not run again | I11 |
//! | an agent stops only what is not wanted | I16, I17 |
//! | the time of the log does not go back, whoever leads and whatever the hosts' clocks show | what I18, I22 and I23 wait by |
//! | a node whose beats were heard is not given up | I28 |

mod points;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use client_agent::drivers::fake::FakeDriver;
use invariants::{Brake, Farewells, Heard, Step, Violation};
use model::{AllocationId, ClientStatus, Desired, Index, NodeId, NodeStatus, ServerId, Term, Timestamp};
use server::Witness;
use server_core::apply::{Answer, Applied, apply};
use server_core::command::{Command, Entry};
use server_core::state::{Change, State};
use tokio::time::Instant;

use super::coverage::{Coverage, Situation, Sometimes};
use super::faults::Fault;
use super::net::node_id;
use super::trace::Trace;
use points::Points;

/// States are compared as a whole at each so many indexes.
const STATE_COMPARED_EACH: Index = 32;
/// A snapshot is restored beside at each so many indexes, an entry applied again, and a decision made again.
const SNAPSHOT_TRIED_EACH: Index = 64;
/// A node whose beat was heard so short a time ago must not be given up: half of what a silent node has, because a beat may
/// have been heard by a leader that had lost its majority, and did not know it yet.
const SILENCE_TOO_SHORT: Duration = Duration::from_secs(3);
/// Beats of an agent whose answers may still come.
const BEATS_REMEMBERED: usize = 64;
/// By so much the time of an entry may be before that of an earlier one: several may be given a time at once, before any of
/// them is in the log.
const TIME_BACK_MAX: Duration = Duration::from_millis(50);

/// Sees everything.
pub struct Oracle {
    /// What happened.
    pub trace: Arc<Trace>,
    kept: Mutex<Kept>,
    origin: Instant,
    began_at: Timestamp,
}

#[derive(Default)]
struct Kept {
    history: BTreeMap<Index, Seen>,
    newest: State,
    /// The latest time of an entry, and when that was seen.
    latest: Option<(Timestamp, Instant)>,
    /// The newest term, and how far the clock of its leader is ahead, in nanoseconds: as far as its entries tell, each of
    /// which was seen later than it was made.
    ahead: (Term, i64),
    heard: Heard,
    farewells: Farewells,
    leaders: BTreeMap<Term, ServerId>,
    requests: BTreeMap<[u8; 16], Index>,
    acknowledged: Vec<([u8; 16], Index, String)>,
    /// The latest beats of each agent, in order: their numbers, which begin anew with each life, and when they were sent.
    sent: BTreeMap<u64, VecDeque<(u64, Instant)>>,
    /// When each node sent the latest of its beats that a leader heard, and when that was known at the latest.
    beats: BTreeMap<NodeId, (Instant, Instant)>,
    containers: BTreeMap<u64, Arc<FakeDriver>>,
    coverage: Coverage,
    points: Points,
    faults: u32,
    brake: Brake,
}

/// What an index holds.
struct Seen {
    digest: blake3::Hash,
    term: Term,
    state: Option<blake3::Hash>,
}

impl Oracle {
    /// Has seen nothing yet. Clocks that are right show `began_at` now.
    pub fn new(trace: Arc<Trace>, began_at: Timestamp) -> Arc<Self> {
        Arc::new(Self { trace, kept: Mutex::default(), origin: Instant::now(), began_at })
    }

    /// The state after the highest index that any server has applied.
    pub fn newest(&self) -> State {
        self.kept().newest.clone()
    }

    /// What was met so far.
    pub fn coverage(&self) -> Coverage {
        self.kept().coverage.clone()
    }

    /// Faults that struck so far.
    pub fn faults(&self) -> u32 {
        self.kept().faults
    }

    /// Something happened that must happen sometimes.
    pub fn note(&self, point: Sometimes) {
        self.kept().coverage.note(point);
    }

    /// A fault strikes.
    pub fn struck(&self, fault: Fault, situations: &BTreeSet<Situation>) {
        let mut kept = self.kept();
        kept.coverage.struck(fault, situations);
        kept.faults += 1;
    }

    /// Something is wrong.
    pub fn violate(&self, invariant: &'static str, what: impl Into<String>) {
        self.trace.violate(Violation { invariant, what: what.into() });
    }

    /// What the runtime of agent `number` runs is seen too.
    pub fn watch_containers(&self, number: u64, driver: Arc<FakeDriver>) {
        self.kept().containers.insert(number, driver);
    }

    /// What a server shows its entries to, until `alive` is false: a process that was killed applies nothing more.
    pub fn witness(self: &Arc<Self>, id: ServerId, alive: Arc<AtomicBool>) -> Arc<dyn Witness> {
        Arc::new(ServerWitness { oracle: self.clone(), id, alive, last: AtomicU64::new(0) })
    }

    /// A server says that it leads.
    pub fn leads(&self, term: Term, id: ServerId) {
        let known = *self.kept().leaders.entry(term).or_insert(id);
        if known != id {
            self.violate("one leader in a term", format!("servers {known} and {id} both lead in term {term}"));
        }
        if self.kept().leaders.len() > 1 {
            self.note(Sometimes::AnotherLeaderLed);
        }
    }

    /// A client was told that its request is entry `index`.
    pub fn acknowledge(&self, request: [u8; 16], index: Index, what: &str) {
        self.kept().acknowledged.push((request, index, what.into()));
    }

    /// The highest index that any client was told.
    pub fn acknowledged_index(&self) -> Index {
        self.kept().acknowledged.iter().map(|(_, index, _)| *index).max().unwrap_or(0)
    }

    /// Everything that clients were told is where they were told.
    pub fn check_acknowledged(&self) {
        let kept = self.kept();
        let lost = |(request, index, what): &([u8; 16], Index, String)| {
            let found = kept.requests.get(request).copied();
            (found != Some(*index)).then(|| format!("{what} was acknowledged as entry {index}, and is {found:?}"))
        };
        let lost: Vec<_> = kept.acknowledged.iter().filter_map(lost).collect();
        drop(kept);
        lost.into_iter().for_each(|what| self.violate("acknowledged writes are kept", what));
    }

    /// An agent sends a beat.
    pub fn beat_sent(&self, agent: u64, sequence: u64, at: Instant) {
        let mut kept = self.kept();
        let sent = kept.sent.entry(agent).or_default();
        sent.push_back((sequence, at));
        if sent.len() > BEATS_REMEMBERED {
            sent.pop_front();
        }
    }

    /// A server tells an agent that the leader heard this beat. That may be long after it was sent.
    pub fn beat_heard(&self, agent: u64, sequence: u64) {
        let mut kept = self.kept();
        let sent = kept.sent.get(&agent).into_iter().flatten().rev().find(|(number, _)| *number == sequence);
        if let Some((_, at)) = sent.copied()
            && kept.beats.get(&node_id(agent)).is_none_or(|(latest, _)| *latest < at)
        {
            kept.beats.insert(node_id(agent), (at, Instant::now()));
        }
    }

    /// When a node sent the latest beat that the leader heard, as far as its agent was told.
    pub fn heard_at(&self, agent: u64) -> Option<Instant> {
        self.kept().beats.get(&node_id(agent)).map(|(sent, _)| *sent)
    }

    /// From when on the agent of a node can be heard; none if it is not sure that it can.
    pub fn can_be_heard(&self, node: NodeId, since: Option<Timestamp>) {
        match since {
            Some(now) => self.kept().heard.up(node, now),
            None => self.kept().heard.away(node),
        }
    }

    /// The right time.
    fn now(&self) -> Timestamp {
        self.began_at + self.origin.elapsed()
    }

    /// What time it is for whoever leads, about.
    pub fn time_of_log(&self) -> Timestamp {
        self.kept().latest.map_or(self.began_at, |(latest, seen)| latest + seen.elapsed())
    }

    /// A runtime started a container.
    pub fn started(&self, agent: u64, allocation: AllocationId) {
        let known = self.kept().newest.allocation(allocation).cloned();
        if let Some(known) = known.filter(|known| is_over(known.client_status)) {
            let what = format!("{} ({}) is started again on n{agent}", known.name(), allocation.short());
            self.violate("what is over does not run again", what);
        }
    }

    /// An agent stops a container that runs.
    pub fn stopping(&self, agent: u64, allocation: AllocationId) {
        let newest = self.newest();
        self.trace.whisper(format_args!("n{agent} stops {allocation}"));
        let Some(known) = newest.allocation(allocation) else {
            self.note(Sometimes::OrphanWasEnded);
            return;
        };
        if known.client_status == ClientStatus::Lost {
            self.note(Sometimes::OrphanWasEnded);
            return;
        }
        if known.desired != Desired::Run {
            let violations = {
                let mut kept = self.kept();
                kept.farewells.sees(self.now(), &newest);
                kept.farewells.signalled(allocation)
            };
            violations.into_iter().for_each(|violation| self.trace.violate(violation));
        }
        let version = newest.job_version(&known.job, known.job_version);
        let group = version.and_then(|version| version.job.group(&known.group));
        let may_stop_alone = group.is_none_or(|group| {
            group.disconnect_rules().is_some_and(|rules| rules.stop_on_client_after.is_some())
                || group.tasks.len() > 1
                || group.services.iter().any(|service| service.check_restart.is_some())
        });
        if known.desired == Desired::Run && !known.client_status.is_terminal() && !may_stop_alone {
            let what = format!("n{agent} stops {} ({})", known.name(), allocation.short());
            self.violate("an agent stops only what is not wanted", what);
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Server `id` applied an entry; `last` is the index that it applied before, 0 if none since its start.
    fn applied(&self, id: ServerId, last: Index, at: (Index, Term), entry: &Entry, applied: &Applied, state: &State) {
        let (index, term) = at;
        if index <= last {
            self.violate("indexes never go back", format!("server {id} applied entry {index} after entry {last}"));
        }
        let digest = {
            let mut hasher = blake3::Hasher::new();
            hasher.update(&entry.encode());
            hasher.update(format!("{applied:?}").as_bytes());
            hasher.finalize()
        };
        self.trace.whisper(format_args!("s{id} {index} {term} {}", digest.to_hex()));
        let state_hash = (index % STATE_COMPARED_EACH == 0).then(|| blake3::hash(&state.encode()));
        let mut kept = self.kept();
        if last > 0 && kept.history.range(last + 1..index).next().is_some() {
            kept.coverage.note(Sometimes::SnapshotWasInstalled);
        }
        if let Some(seen) = kept.history.get(&index) {
            let differs = match () {
                () if seen.term != term => Some(format!("is of term {} and of term {term}", seen.term)),
                () if seen.digest != digest => Some("is not the same everywhere, or had another result".into()),
                () if seen.state != state_hash => Some("brought about different states".into()),
                () => None,
            };
            drop(kept);
            if let Some(differs) = differs {
                let what = format!("entry {index} ({}) on server {id} {differs}", entry.command.name());
                self.violate("what is committed does not change", what);
            }
            return;
        }
        kept.history.insert(index, Seen { digest, term, state: state_hash });
        // What was applied before is the same on every server.
        let before = std::mem::take(&mut kept.newest);
        let is_newer = index > before.index();
        kept.newest = if is_newer { state.clone() } else { before.clone() };
        let ahead = entry.at.0.saturating_sub(self.now().0);
        kept.ahead = if kept.ahead.0 == term { (term, ahead.max(kept.ahead.1)) } else { (term, ahead) };
        let latest = kept.latest.map_or(entry.at, |(latest, _)| latest);
        let back = if is_newer { latest.since(entry.at) } else { Duration::ZERO };
        if latest <= entry.at {
            kept.latest = Some((entry.at, Instant::now()));
        }
        let follows = is_newer && (index == before.index() + 1 || leads_to(&before, (index, term), entry, state));
        let Kept { points, coverage, .. } = &mut *kept;
        points.look(entry, term, applied, state, coverage);
        let mut violations = invariants::check(state);
        if follows {
            let step = Step { index, term, entry, applied, before: &before, after: state };
            violations.extend(invariants::check_step(&step));
            violations.extend(kept.brake.applied(&step));
            violations.extend(kept.heard.applied(self.now(), &step));
            if index.is_multiple_of(SNAPSHOT_TRIED_EACH) {
                violations.extend(invariants::check_restored(state));
                violations.extend(invariants::check_pure(&step));
                let open = state.open_evaluations(model::EvaluationStatus::Pending).next();
                violations
                    .extend(open.into_iter().flat_map(|open| invariants::check_repeatable(state, open, entry.at)));
            }
        }
        drop(kept);
        self.tell(index, term, entry, applied);
        if back > TIME_BACK_MAX {
            let what = format!("entry {index} ({}) is {back:?} before an earlier one", entry.command.name());
            self.violate("the time of the log does not go back", what);
        }
        self.check_request(index, entry, applied);
        self.check_nodes(entry, applied);
        self.check_containers(applied, state);
        for violation in violations {
            self.trace.violate(violation);
        }
    }

    /// A line of the timeline.
    fn tell(&self, index: Index, term: Term, entry: &Entry, applied: &Applied) {
        let answer = match &applied.answer {
            Answer::Accepted(_) => String::new(),
            Answer::Rejected(rejection) => format!(" rejected: {rejection}"),
        };
        self.trace.say(format_args!("{index} t{term} {}{answer}", points::words(&entry.command)));
    }

    fn check_request(&self, index: Index, entry: &Entry, applied: &Applied) {
        let Some(request) = entry.request else { return };
        let earlier = *self.kept().requests.entry(request).or_insert(index);
        if earlier == index {
            return;
        }
        self.note(Sometimes::RetryWasAppliedOnce);
        if !applied.changes.is_empty() {
            let what = format!("{} was applied at {earlier} and at {index}", entry.command.name());
            self.violate("a request is applied once", what);
        }
    }

    /// A node that was heard lately is not given up. What a leader heard that has lost its majority does not count, so a
    /// beat counts only that came well within the time that a silent node has.
    fn check_nodes(&self, entry: &Entry, applied: &Applied) {
        let Command::SetNodeStatus { changes, .. } = &entry.command else { return };
        if applied.changes.is_empty() {
            return;
        }
        // A clock that seems to be behind may be right, and its entries slow.
        let ahead = self.kept().ahead.1;
        let right = |ahead: i64| self.origin + Timestamp(entry.at.0.saturating_sub(ahead)).since(self.began_at);
        let (earliest, latest) = (right(ahead.max(0)), right(ahead));
        let newest = self.newest();
        for (node, status) in changes {
            // What was passed over did no harm.
            if newest.node(*node).is_none_or(|known| known.status != *status) {
                continue;
            }
            let heard = self.kept().beats.get(node).copied();
            // A beat of the same moment may have come right after the decision.
            let was_known = |(_, known): &(Instant, Instant)| *status == NodeStatus::Down && *known < earliest;
            let Some((sent, _)) = heard.filter(was_known) else { continue };
            let silence = latest - sent;
            if silence < SILENCE_TOO_SHORT {
                let name = newest.node(*node).map(|node| node.name.clone()).unwrap_or_default();
                self.violate("a node that is heard is not down", format!("{name} was silent for {silence:?} only"));
            }
        }
    }

    /// What has just come to its end does not run.
    fn check_containers(&self, applied: &Applied, state: &State) {
        for change in &applied.changes {
            let Change::Allocation { id, .. } = change else { continue };
            let Some(known) = state.allocation(*id).filter(|known| is_over(known.client_status)) else { continue };
            let runs = {
                let kept = self.kept();
                let of_node = kept.containers.iter().find(|(number, _)| node_id(**number) == known.node);
                of_node.is_some_and(|(_, driver)| driver.running().iter().any(|(allocation, _)| allocation == id))
            };
            if runs {
                let what = format!("{} ({}) is {:?} and runs", known.name(), id.short(), known.client_status);
                self.violate("what is over does not run", what);
            }
        }
    }
}

/// Whether nothing was applied in between: blank entries are never seen, nor what a server applied that was being killed.
fn leads_to(before: &State, (index, term): (Index, Term), entry: &Entry, after: &State) -> bool {
    let mut again = before.clone();
    apply(&mut again, index, term, entry);
    again == *after
}

/// Whether its agent said that it is over. Of what is lost nobody knows.
fn is_over(status: ClientStatus) -> bool {
    matches!(status, ClientStatus::Complete | ClientStatus::Failed)
}

struct ServerWitness {
    oracle: Arc<Oracle>,
    id: ServerId,
    alive: Arc<AtomicBool>,
    last: AtomicU64,
}

impl Witness for ServerWitness {
    fn applied(&self, index: Index, term: Term, entry: &Entry, applied: &Applied, state: &State) {
        if self.alive.load(Ordering::Relaxed) {
            let last = self.last.swap(index, Ordering::Relaxed);
            self.oracle.applied(self.id, last, (index, term), entry, applied, state);
        }
    }
}
