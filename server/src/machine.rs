//! The replicated state as consensus drives it: entries in, answers out, and after each batch the new state published.
//!
//! Readers never wait for it and it never waits for them: a published state is a copy-on-write handle.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use model::{Index, NodeId, Term};
use server_core::apply::{self, Answer, Applied};
use server_core::command::Entry;
use server_core::state::{Change, State};
use tokio::sync::watch;

use crate::cluster::Happening;
use crate::happenings::Happenings;
use crate::node_watch::NodeWatch;
use crate::raft::{FrozenState, Machine};

/// Sees every entry right after it was applied: the simulation traces and audits with it.
pub trait Witness: Send + Sync + 'static {
    /// Entry `index`, proposed in `term`, turned the state into `state`.
    fn applied(&self, index: Index, term: Term, entry: &Entry, applied: &Applied, state: &State);
}

/// The state behind consensus.
pub struct StateMachine {
    state: State,
    witness: Option<Arc<dyn Witness>>,
    published: watch::Sender<Arc<State>>,
    happenings: Arc<Happenings>,
    nodes: Arc<NodeWatch>,
    pending: Vec<(Index, Vec<Change>)>,
}

impl StateMachine {
    /// An empty state that publishes to these.
    pub fn new(
        published: watch::Sender<Arc<State>>,
        happenings: Arc<Happenings>,
        nodes: Arc<NodeWatch>,
        witness: Option<Arc<dyn Witness>>,
    ) -> Self {
        Self { state: State::default(), witness, published, happenings, nodes, pending: Vec::new() }
    }

    fn publish(&mut self) {
        let state = Arc::new(self.state.clone());
        let mut woken = BTreeSet::new();
        for (index, changes) in self.pending.drain(..) {
            woken.extend(nodes_with_new_work(&state, &changes));
            let changes = Arc::new(changes);
            self.happenings.push(Happening { index, changes, state: state.clone() });
        }
        self.published.send_replace(state);
        // Only now: a session that looked before the state was published would see nothing new and sleep on.
        for node in woken {
            self.nodes.notify(node);
        }
    }
}

impl Machine for StateMachine {
    fn apply(&mut self, index: Index, term: Term, entry: &[u8]) -> Bytes {
        // An entry of a newer release must stop this server before it applies: guessing would fork the state.
        let entry = Entry::decode(entry)
            .unwrap_or_else(|error| panic!("entry {index} of the log can't be applied by this release: {error}"));
        let applied = apply::apply(&mut self.state, index, term, &entry);
        if let Some(witness) = &self.witness {
            witness.applied(index, term, &entry, &applied, &self.state);
        }
        if !applied.changes.is_empty() {
            self.pending.push((index, applied.changes));
        }
        encode_answer(&applied.answer)
    }

    fn advanced(&mut self, index: Index) {
        if index > self.state.index() {
            let term = self.state.term();
            apply::advance(&mut self.state, index, term);
        }
        self.publish();
    }

    fn freeze(&self) -> Box<dyn FrozenState> {
        Box::new(Frozen(self.state.clone()))
    }

    fn restore(&mut self, snapshot: &[u8]) -> io::Result<()> {
        self.state = State::decode(snapshot).map_err(io::Error::other)?;
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
        // What an agent said itself is no news to it, unless it is over and leaves the wanted ones.
        Change::Allocation { id, desired, .. } => {
            let of_interest = state.allocation(*id).filter(|allocation| *desired || !allocation.holds());
            of_interest.map(|allocation| allocation.node)
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
    use server_core::command::Command;
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

        let command = Command::RegisterNode { node: Arc::new(node) };
        let entry = Entry { at: Timestamp::default(), request: None, caller: "test".into(), command };
        machine.apply(1, 1, &entry.encode());
        machine.advanced(1);
        assert_eq!(*look.seen.lock().unwrap(), Some(1));
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
        apply(Command::RegisterNode { node: Arc::new(node) });
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
            apply(Command::Observe { nodes: vec![(id, vec![observation])] }).0
        };
        assert_eq!(observe(ClientStatus::Running), BTreeSet::new(), "it runs");
        assert_eq!(observe(ClientStatus::Complete), BTreeSet::from([id]), "it is over");
    }
}
