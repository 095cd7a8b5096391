//! Which blocked evaluations may find a place, because nodes gained something since they were decided.
//!
//! One that waits for room which comes anyway, though it could take that of lower work, is looked at again for all nodes as
//! soon as that room goes to others, or its node closes or changes: else it would wait for what never comes. One with
//! instances on a node that takes nothing new is looked at again for it when it changes: they may be updated there at last.
//!
//! Leader-local and never logged: a new leader looks at everything once. A blocked evaluation is looked at again for the
//! nodes that gained since, and is planned only if one of them would take an instance at that moment. So of many that wait
//! for one slot the first gets it, and nobody else is planned in vain.
//!
//! ```text
//!   a node gains ──amounts fit──► hopeful ──its turn: a place is there──► planned
//!                                        \──none on any of those nodes──► tried, until another gain
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::{Constraint, Evaluation, EvaluationStatus, Index, JobKey, NodeId, Operator, Resources, fits};

use super::Order;
use crate::state::State;

/// Nodes that gained something.
pub type Nodes = BTreeSet<NodeId>;

/// What a leader knows of the blocked evaluations.
#[derive(Clone, Debug, Default)]
pub struct BlockedWatch {
    /// Index of the committed state that was last looked at.
    looked_at: Index,
    /// Those that may find a place, each with the nodes that gained.
    hopeful: BTreeMap<Order, Nodes>,
    /// Those that had their turn on a state that holds plans which may yet be rejected.
    tried: BTreeMap<Order, Nodes>,
    /// Those that were looked at again because the room that they waited for will not come.
    let_down: BTreeSet<Order>,
}

impl BlockedWatch {
    /// Takes in what was gained since the last look; `committed` holds nothing that may yet be rejected.
    pub fn look(&mut self, committed: &State) {
        let since = std::mem::replace(&mut self.looked_at, committed.index());
        let mut blocked = committed.open_evaluations(EvaluationStatus::Blocked).peekable();
        let gained_since = committed.gains_after(since).next().is_some();
        let indexes = committed.indexes();
        if blocked.peek().is_none() || (!gained_since && indexes.evaluations.max(indexes.nodes) <= since) {
            return;
        }
        let mut gains = Gains::of(committed);
        let is_blocked =
            |key: &Order| committed.evaluation(key.2).is_some_and(|known| known.status == EvaluationStatus::Blocked);
        self.let_down.retain(is_blocked);
        for evaluation in blocked {
            // One that is new, or was decided anew, has seen what was gained before its decision, and nothing after.
            let is_new = evaluation.modify_index > since;
            let from = if is_new { evaluation.snapshot_index } else { since };
            let mut nodes = gains.that_may_help(evaluation, from);
            if (gained_since || indexes.nodes > from) && shares_property(committed, evaluation) {
                // A node that changed, open or not, may have given a value back that others have too.
                nodes.extend(committed.nodes().map(|node| node.id));
            }
            if indexes.nodes > from {
                nodes.extend(gains.closed_and_changed(&evaluation.job, from));
            }
            let key = super::order(evaluation);
            if is_new {
                self.hopeful.remove(&key);
                self.tried.remove(&key);
                self.let_down.remove(&key);
            }
            if !self.let_down.contains(&key) && is_let_down(committed, evaluation, from) {
                self.let_down.insert(key);
                nodes.extend(committed.nodes().map(|node| node.id));
            }
            if !nodes.is_empty() {
                self.hopeful.entry(key).or_default().extend(nodes);
            }
        }
    }

    /// The first blocked evaluation in order, ahead of `before`, that `has_chance` on one of the nodes that gained.
    pub(super) fn next_before<'a>(
        &mut self,
        state: &'a State,
        before: Option<Order>,
        mut has_chance: impl FnMut(&Evaluation, &Nodes) -> bool,
    ) -> Option<&'a Arc<Evaluation>> {
        while let Some(first) = self.hopeful.first_entry() {
            if before.is_some_and(|before| before < *first.key()) {
                return None;
            }
            let (key, nodes) = first.remove_entry();
            let evaluation = state.evaluation(key.2).filter(|known| known.status == EvaluationStatus::Blocked);
            let chosen = evaluation.filter(|known| has_chance(known, &nodes));
            self.tried.entry(key).or_default().extend(nodes);
            if chosen.is_some() {
                return chosen;
            }
        }
        None
    }

    /// A plan came out differently than it was foreseen: who had no chance beside it may have one.
    pub fn try_again(&mut self) {
        for (key, nodes) in std::mem::take(&mut self.tried) {
            self.hopeful.entry(key).or_default().extend(nodes);
        }
    }

    /// All plans came out as they were foreseen.
    pub fn settle(&mut self) {
        self.tried.clear();
    }
}

/// Whether the job's instances close nodes to each other by what those have in common.
fn shares_property(state: &State, evaluation: &Evaluation) -> bool {
    let is_one = |constraint: &Constraint| constraint.operator == Operator::DistinctProperty;
    state.job(&evaluation.job).is_some_and(|record| {
        let job = &record.current().job;
        job.constraints.iter().chain(job.groups.iter().flat_map(|group| &group.constraints)).any(is_one)
    })
}

/// Whether of the room that was to come, and that `evaluation` waits for, some went to others after `index`, or its node
/// closed or became another one, which the job may not want.
fn is_let_down(state: &State, evaluation: &Evaluation, index: Index) -> bool {
    // Its own instances are placed by the entry that says that it waits.
    let decided = evaluation.modify_index;
    let is_lost = |id: &NodeId| match state.node(*id) {
        None => true,
        Some(node) if node.modify_index > index => true,
        Some(_) => state.allocations_of_node(*id).any(|known| known.create_index > index.max(decided)),
    };
    evaluation.unplaced.values().flat_map(|unplaced| &unplaced.coming).any(is_lost)
}

/// The nodes that gained something, and what each has free now.
struct Gains<'a> {
    state: &'a State,
    known: BTreeMap<NodeId, Gain>,
    /// The nodes that take nothing new, by the jobs that run there, with the index at which each last changed; none as long as
    /// nobody asked.
    closed: Option<BTreeMap<JobKey, BTreeSet<(Index, NodeId)>>>,
}

struct Gain {
    free: Resources,
    /// Jobs that run there: a new version of an instance asks only for what goes beyond the old one.
    jobs: BTreeSet<JobKey>,
}

impl<'a> Gains<'a> {
    fn of(state: &'a State) -> Self {
        Self { state, known: BTreeMap::new(), closed: None }
    }

    /// The nodes that gained after `index`, and have the amounts that `evaluation` lacks.
    fn that_may_help(&mut self, evaluation: &Evaluation, index: Index) -> Nodes {
        let state = self.state;
        let gained = state.gains_after(index).map(|(_, id)| id);
        // Who may take the room of lower work may be helped by any amount.
        let may_preempt = state.scheduler().0.preemption.allows(evaluation.kind);
        gained.filter(|id| self.gain(*id).is_some_and(|gain| may_preempt || may_help(gain, evaluation))).collect()
    }

    /// The nodes that take nothing new, but changed after `index` and have instances of `job`: these may be updated there at
    /// last.
    fn closed_and_changed(&mut self, job: &JobKey, index: Index) -> impl Iterator<Item = NodeId> {
        let state = self.state;
        let closed = self.closed.get_or_insert_with(|| {
            let mut closed: BTreeMap<JobKey, BTreeSet<_>> = BTreeMap::new();
            for node in state.nodes().filter(|node| !node.is_schedulable()) {
                for known in state.allocations_of_node(node.id).filter(|known| known.is_live()) {
                    closed.entry(known.job.clone()).or_default().insert((node.modify_index, node.id));
                }
            }
            closed
        });
        let of_job = closed.get(job).into_iter();
        of_job.flat_map(move |nodes| nodes.range((index + 1, NodeId::default())..)).map(|(_, id)| *id)
    }

    fn gain(&mut self, id: NodeId) -> Option<&Gain> {
        let node = self.state.node(id)?;
        let gain = || {
            let live = self.state.allocations_of_node(id).filter(|known| known.is_live());
            Gain { free: self.state.node_use(id).free(node), jobs: live.map(|known| known.job.clone()).collect() }
        };
        Some(self.known.entry(id).or_insert_with(gain))
    }
}

fn may_help(gain: &Gain, evaluation: &Evaluation) -> bool {
    evaluation.unplaced.values().any(|unplaced| fits(unplaced.ask, gain.free).is_ok())
        || gain.jobs.contains(&evaluation.job)
}
