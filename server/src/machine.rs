//! The replicated state as consensus drives it: entries in, answers out, and after each batch the new state published.
//!
//! Readers never wait for it and it never waits for them: a published state is a copy-on-write handle.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use model::{Index, NodeId, Term, Timestamp};
use seams::SteadyClock;
use server_core::apply::{self, Alarm, Answer, Applied};
use server_core::chain::{Chain, is_marked};
use server_core::command::Entry;
use server_core::state::{Change, State};
use tokio::sync::watch;

use crate::alarms::{Alarms, Raised};
use crate::cluster::Happening;
use crate::happenings::Happenings;
use crate::marks::Marked;
use crate::node_watch::NodeWatch;
use crate::raft::{FrozenState, Machine};

/// Sees every entry right after it was applied: the simulation traces and audits with it.
pub trait Witness: Send + Sync + 'static {
    /// Entry `index`, proposed in `term`, turned the state into `state`.
    fn applied(&self, index: Index, term: Term, entry: &Entry, applied: &Applied, state: &State);

    /// The state is that of a snapshot from now on.
    fn restored(&self, _state: &State) {}
}

/// The state behind consensus.
pub struct StateMachine {
    state: State,
    witness: Option<Arc<dyn Witness>>,
    published: watch::Sender<Arc<State>>,
    happenings: Arc<Happenings>,
    nodes: Arc<NodeWatch>,
    pending: Vec<(Index, Vec<Change>)>,
    /// What led to the state.
    chain: Chain,
    marked: Option<watch::Sender<Marked>>,
    alarms: Option<Arc<Alarms>>,
    clock: Option<Arc<SteadyClock>>,
}

impl StateMachine {
    /// An empty state that publishes to these.
    pub fn new(
        published: watch::Sender<Arc<State>>,
        happenings: Arc<Happenings>,
        nodes: Arc<NodeWatch>,
        witness: Option<Arc<dyn Witness>>,
    ) -> Self {
        let (state, chain, pending) = (State::default(), Chain::default(), Vec::new());
        Self { state, witness, published, happenings, nodes, pending, chain, marked: None, alarms: None, clock: None }
    }

    /// The same, raising there what entries would have broken.
    pub fn alarming(self, alarms: Arc<Alarms>) -> Self {
        Self { alarms: Some(alarms), ..self }
    }

    /// The same, telling this clock the time of what is applied.
    pub fn timing(self, clock: Arc<SteadyClock>) -> Self {
        Self { clock: Some(clock), ..self }
    }

    /// The same, giving away the states that are compared between servers.
    pub fn marking(self, marked: watch::Sender<Marked>) -> Self {
        Self { marked: Some(marked), ..self }
    }

    /// Raises what an entry would have broken.
    fn raise(&self, (index, at): (Index, Timestamp), alarms: &[Alarm]) {
        let Some(kept) = &self.alarms else { return };
        for Alarm { invariant, what } in alarms {
            kept.raise(Raised { at, index, invariant: (*invariant).into(), what: what.clone() });
        }
    }

    /// Follows an entry in the chain, and gives the state away if it is to be compared.
    fn follow(&mut self, index: Index, term: Term, entry: &[u8], answer: &[u8]) {
        self.chain.follow(index, term, entry, answer);
        if let Some(marked) = self.marked.as_ref().filter(|_| is_marked(&self.state)) {
            marked.send_replace(Some((self.chain, self.state.clone())));
        }
    }

    fn publish(&mut self) {
        let state = Arc::new(self.state.clone());
        let mut woken = BTreeSet::new();
        for (index, changes) in self.pending.drain(..) {
            woken.extend(nodes_with_new_work(&state, &changes));
            let changes = Arc::new(changes);
            self.happenings.push(Happening { index, changes, state: state.clone() });
        }
        let before = self.published.send_replace(state.clone());
        // Only now: a session that looked before the state was published would see nothing new and sleep on.
        if before.servers().eq(state.servers()) {
            woken.into_iter().for_each(|node| self.nodes.notify(node));
        } else {
            // Every agent must know whom it may turn to.
            self.nodes.notify_all();
        }
    }
}

impl Machine for StateMachine {
    fn apply(&mut self, index: Index, term: Term, bytes: &[u8]) -> Bytes {
        // An entry of a newer release must stop this server before it applies: guessing would fork the state.
        let entry = Entry::decode(bytes)
            .unwrap_or_else(|error| panic!("entry {index} of the log can't be applied by this release: {error}"));
        if let Some(clock) = &self.clock {
            clock.heed(entry.at);
        }
        let applied = apply::apply(&mut self.state, index, term, &entry);
        if let Some(witness) = &self.witness {
            witness.applied(index, term, &entry, &applied, &self.state);
        }
        if !applied.alarms.is_empty() {
            self.raise((index, entry.at), &applied.alarms);
        }
        if !applied.changes.is_empty() {
            self.pending.push((index, applied.changes));
        }
        let answer = encode_answer(&applied.answer);
        self.follow(index, term, bytes, &answer);
        answer
    }

    fn advanced(&mut self, index: Index) {
        if index > self.state.index() {
            let term = self.state.term();
            apply::advance(&mut self.state, index, term);
        }
        self.publish();
    }

    fn freeze(&self) -> Box<dyn FrozenState> {
        let mut state = self.state.clone();
        state.put_chain(self.chain);
        Box::new(Frozen(state))
    }

    fn restore(&mut self, snapshot: &[u8]) -> io::Result<()> {
        self.state = State::decode(snapshot).map_err(io::Error::other)?;
        if let Some(clock) = &self.clock {
            clock.heed(self.state.time());
        }
        self.chain = self.state.take_chain();
        if self.chain.is_empty() {
            // Of a release that kept none: what follows is comparable with those that begin here too.
            self.chain = Chain::since(self.state.index());
        }
        if let Some(witness) = &self.witness {
            witness.restored(&self.state);
        }
        self.pending.clear();
        self.happenings.clear(self.state.index());
        self.publish();
        self.nodes.notify_all();
        Ok(())
    }
}

struct Frozen(State);

impl FrozenState for Frozen {
    fn encode(&self) -> Vec<u8> {
        self.0.encode()
    }
}

/// The nodes whose agents have something new to do.
fn nodes_with_new_work(state: &State, changes: &[Change]) -> BTreeSet<NodeId> {
    let of = |change: &Change| match change {
        Change::Allocation { node, desired: true, .. } => Some(*node),
        // What an agent said itself is no news to it, unless it is over and leaves the wanted ones.
        Change::Allocation { id, node, desired: false, .. } => {
            state.allocation_on(*node, *id).filter(|allocation| !allocation.holds()).map(|_| *node)
        }
        Change::Node { id, .. } => Some(*id),
        Change::Job { .. }
        | Change::Evaluation(_)
        | Change::Deployment(_)
        | Change::Service(_)
        | Change::Volume { .. } => None,
    };
    changes.iter().filter_map(of).collect()
}

/// An answer as it travels from the machine to the proposer, which may be another server.
fn encode_answer(answer: &Answer) -> Bytes {
    rmp_serde::to_vec_named(answer).expect("every answer can be written to memory").into()
}

/// The answer of these bytes; none if a server of another release wrote something that this one does not know.
pub fn decode_answer(bytes: &[u8]) -> Option<Answer> {
    rmp_serde::from_slice(bytes).ok()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::future::Future as _;
    use std::pin::pin;
    use std::sync::Mutex;
    use std::task::{Context, Wake, Waker};

    use model::{ClientStatus, EvaluationStatus, Observation, TaskStates, Timestamp};
    use server_core::chain::Mark;
    use server_core::command::Command;
    use server_core::limits::MARK_EVERY;
    use server_core::plan::Plan;

    use super::*;

    /// Looks at the published state at the very moment when it is woken.
    struct Look {
        states: watch::Receiver<Arc<State>>,
        seen: Mutex<Option<Index>>,
    }

    impl Wake for Look {
        fn wake(self: Arc<Self>) {
            *self.seen.lock().unwrap() = Some(self.states.borrow().index());
        }
    }

    #[test]
    fn a_session_that_is_woken_finds_the_new_state() {
        let (publish, states) = watch::channel(Arc::new(State::default()));
        let nodes = Arc::new(NodeWatch::default());
        let mut machine = StateMachine::new(publish, Arc::default(), nodes.clone(), None);
        let node = model::testing::node("n1");
        let call = nodes.begin_session(node.id);
        let look = Arc::new(Look { states, seen: Mutex::default() });
        let waker = Waker::from(look.clone());
        let mut woken = pin!(call.notified());
        assert!(woken.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());

        let command = Command::RegisterNode { node: Arc::new(node), session: None };
        let entry = Entry { at: Timestamp::default(), request: None, caller: "test".into(), command };
        machine.apply(1, 1, &entry.encode());
        machine.advanced(1);
        assert_eq!(*look.seen.lock().unwrap(), Some(1));
    }

    #[test]
    fn every_session_is_woken_when_servers_come_or_go_and_by_nothing_that_leaves_them_the_same() {
        let nodes = Arc::new(NodeWatch::default());
        let (publish, _) = watch::channel(Arc::new(State::default()));
        let mut machine = StateMachine::new(publish, Arc::default(), nodes.clone(), None);
        let call = nodes.begin_session(model::testing::node("n1").id);
        let mut wakes = |index, command| {
            let entry = Entry { at: Timestamp::default(), request: None, caller: "test".into(), command };
            machine.apply(index, 1, &entry.encode());
            machine.advanced(index);
            pin!(call.notified()).poll(&mut Context::from_waker(Waker::noop())).is_ready()
        };
        let allocate =
            || Command::AllocateServer { name: "s1".into(), address: "s1:4647".into(), http_address: String::new() };
        assert!(wakes(1, allocate()), "one comes");
        assert!(
            !wakes(2, Command::RegisterNode { node: Arc::new(model::testing::node("n2")), session: None }),
            "none comes"
        );
        assert!(wakes(3, Command::ForgetServer { id: 1, term: None }), "it goes");
    }

    #[test]
    fn a_session_is_woken_for_what_is_wanted_and_for_what_is_over_and_not_by_what_its_agent_observed() {
        let mut state = State::default();
        let mut apply = |command| {
            let entry = Entry { at: Timestamp::default(), request: None, caller: "test".into(), command };
            let index = state.index() + 1;
            let applied = apply::apply(&mut state, index, 1, &entry);
            assert!(matches!(applied.answer, Answer::Accepted(_)), "{:?}", applied.answer);
            (nodes_with_new_work(&state, &applied.changes), state.clone())
        };
        let node = model::testing::node("n1");
        let id = node.id;
        apply(Command::RegisterNode { node: Arc::new(node), session: None });
        let job = Arc::new(model::testing::job("web").count(1));
        let (_, state) = apply(Command::RegisterJob { job, check_index: None, submission: None });
        let evaluation = state.open_evaluations(EvaluationStatus::Pending).next().unwrap();
        let plan = server_core::schedule::schedule(&state, evaluation, Timestamp::default()).plan;
        let (woken, state) = apply(Command::Plan(Box::new(Plan { term: 1, ..plan })));
        assert_eq!(woken, BTreeSet::from([id]), "it is placed");
        let allocation = state.allocations().next().unwrap().id;
        let mut observe = |client_status| {
            let observation = Observation {
                allocation,
                client_status,
                client_description: String::new(),
                tasks: TaskStates::default(),
                healthy: None,
                healthy_at: None,
                checks: BTreeMap::new(),
                network_address: None,
            };
            apply(Command::Observe { nodes: vec![(id, vec![observation])], sessions: Default::default() }).0
        };
        assert_eq!(observe(ClientStatus::Running), BTreeSet::new(), "it runs");
        assert_eq!(observe(ClientStatus::Complete), BTreeSet::from([id]), "it is over");
    }

    /// A machine that gives away what is compared, right before the first index at which that happens.
    fn marking() -> (StateMachine, watch::Receiver<Marked>) {
        let (publish, _) = watch::channel(Arc::new(State::default()));
        let (marked, given) = watch::channel(None);
        let mut machine = StateMachine::new(publish, Arc::default(), Arc::default(), None).marking(marked);
        machine.apply(1, 1, &registers("n1"));
        machine.advanced(MARK_EVERY - 1);
        (machine, given)
    }

    fn registers(name: &str) -> Vec<u8> {
        let command = Command::RegisterNode { node: Arc::new(model::testing::node(name)), session: None };
        Entry { at: Timestamp(7), request: None, caller: "test".into(), command }.encode()
    }

    fn mark(given: &watch::Receiver<Marked>) -> Mark {
        let (chain, state) = given.borrow().clone().expect("its index is one that is compared");
        Mark::of(&state, chain)
    }

    #[test]
    fn machines_that_did_the_same_are_marked_the_same_also_after_a_restore() {
        let ((mut one, given), (other, _)) = (marking(), marking());
        let (mut restored, given_by_restored) = marking();
        restored.restore(&other.freeze().encode()).unwrap();
        one.apply(MARK_EVERY, 1, &registers("n2"));
        restored.apply(MARK_EVERY, 1, &registers("n2"));
        assert_eq!(mark(&given), mark(&given_by_restored));

        let (mut differs, given_by_other) = marking();
        differs.apply(MARK_EVERY, 1, &registers("n3"));
        assert_ne!(mark(&given), mark(&given_by_other));
    }

    #[test]
    fn what_an_entry_would_have_broken_is_an_alarm() {
        let (machine, _) = marking();
        let alarms = Arc::new(Alarms::default());
        let mut machine = machine.alarming(alarms.clone());
        machine.apply(1, 1, &registers("n1"));
        let raised = alarms.newest();
        assert_eq!((raised.len(), raised[0].index, raised[0].at), (1, 1, Timestamp(7)));
    }
}
