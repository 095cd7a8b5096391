//! Searches moves that bring a goal nearer, each on the state that those before it leave.
//!
//! Every move must be one that the scheduler would make if the instance were placed anew, and must pay by itself or with
//! its set. What is tried and does not pay leaves no trace.

use std::collections::BTreeSet;
use std::sync::Arc;

use model::{Algorithm, Allocation, AllocationId, Index, JobKey, Node, NodeId, Timestamp};

use super::measure::{Gain, Skew, holding, load_permille, skew};
use super::movable::{is_in, kept_back};
use super::record::{Ask, Goal, Move, Stage};
use super::trial::{Stuck, Trial};
use crate::limits::{REBALANCE_LOAD_GAP_MIN, REBALANCE_LOOKS_MIN, REBALANCE_NODE_LOOKS_MAX};
use crate::schedule::{Prospect, Scheduler};
use crate::state::State;

/// What it costs to play a move, in looks.
const LOOKS_PER_PLAY: u64 = 3;

/// A search for moves.
pub(super) struct Search<'a> {
    ask: &'a Ask,
    now: Timestamp,
    /// What was placed later was placed by the search: nobody can be told to move it.
    index: Index,
    scheduler: Scheduler,
    /// Looks at nodes, for measures too.
    pub prospect: Prospect,
    /// The state that the moves so far leave.
    pub trial: Trial<'a>,
    /// The moves so far.
    pub moves: Vec<Move>,
    /// Instances that were looked at.
    pub looked_at: u32,
    looks_left: u64,
    sets: u32,
}

impl<'a> Search<'a> {
    /// A search on `state`, for what is asked.
    pub fn of(state: &State, ask: &'a Ask, now: Timestamp) -> Self {
        Self {
            ask,
            now,
            index: state.index(),
            scheduler: Scheduler::default(),
            prospect: Prospect::default(),
            trial: Trial::of(state, ask, now),
            moves: Vec::new(),
            looked_at: 0,
            looks_left: looks(state.node_count()),
            sets: 0,
        }
    }

    /// Whether it ended before all was looked at.
    pub fn is_cut_short(&self) -> bool {
        self.looks_left == 0 || self.moves_left() == 0
    }

    /// Searches until nothing more pays, or a limit is reached.
    pub fn run(&mut self) {
        match self.ask.goal {
            Goal::Spread => while self.spread_once() {},
            Goal::Pack => self.pack(),
            Goal::Empty(node) => self.empty(node),
        }
    }

    fn moves_left(&self) -> usize {
        (self.ask.limits.moves as usize).saturating_sub(self.moves.len())
    }

    /// Whether one more instance may be looked at.
    fn looks(&mut self) -> bool {
        let may = self.looks_left > 0;
        self.looks_left -= u64::from(may);
        self.looked_at += u32::from(may);
        may
    }

    /// The instances that may move: of a lower priority first, then from the fullest node.
    fn candidates(&self) -> Vec<Arc<Allocation>> {
        let state = &self.trial.state;
        let live = state.allocations().filter(|known| known.is_live());
        let mut all: Vec<_> = live.filter(|known| self.may_move(state, known)).cloned().collect();
        all.sort_by_cached_key(|known| {
            let load = state.node(known.node).map_or(0, |node| load_permille(state, node));
            let name = (known.job.clone(), known.group.clone(), known.index, known.id);
            (priority(state, known), std::cmp::Reverse(load), name)
        });
        all
    }

    /// Tries every instance once; whether one moved.
    fn spread_once(&mut self) -> bool {
        let mut stays: BTreeSet<(JobKey, String, NodeId)> = BTreeSet::new();
        let mut moved = false;
        for known in self.candidates() {
            if self.moves_left() == 0 {
                return false;
            }
            // Of equals on one node each stays if one does.
            let key = (known.job.clone(), known.group.clone(), known.node);
            if stays.contains(&key) {
                continue;
            }
            if !self.looks() {
                return false;
            }
            if self.spread_one(&known) {
                moved = true;
                stays.clear();
            } else {
                stays.insert(key);
            }
        }
        moved
    }

    fn spread_one(&mut self, known: &Allocation) -> bool {
        let Some(planned) = self.plan(known, Some(Algorithm::Spread), &|_| true) else { return false };
        let before = self.trial.state.clone();
        if self.play(&planned).is_err() {
            return false;
        }
        let pays = pays(&mut self.prospect, &before, &self.trial.state, &planned);
        if pays {
            self.keep(&before, vec![planned]);
        } else {
            self.trial.state = before;
        }
        pays
    }

    /// Frees nodes whole, those with the fewest instances first.
    fn pack(&mut self) {
        let state = &self.trial.state;
        let in_use = state.nodes().filter(|node| holding(state, node.id) > 0);
        let mut sources: Vec<_> =
            in_use.map(|node| (holding(state, node.id), load_permille(state, node), node.id)).collect();
        sources.sort_unstable();
        for (_, _, node) in sources {
            let before = self.trial.state.clone();
            match self.free(node) {
                Some(set) => self.keep(&before, set),
                None => self.trial.state = before,
            }
        }
    }

    /// Moves everything off `node`, to nodes that are in use; none where that can't be done as a whole.
    fn free(&mut self, node: NodeId) -> Option<Vec<Move>> {
        let before = self.trial.state.clone();
        let instances = of_node(&before, node);
        // What holds something and is not live ends by itself, but nobody knows when.
        let is_whole = instances.len() == holding(&before, node);
        let is_whole = is_whole && instances.iter().all(|known| self.may_move(&before, known));
        if !is_whole || instances.is_empty() || instances.len() > self.moves_left() {
            return None;
        }
        let mut set = Vec::new();
        for known in instances {
            if !self.looks() {
                return None;
            }
            let state = self.trial.state.clone();
            let is_used = |other: &Node| other.id != node && holding(&state, other.id) > 0;
            let planned = self.plan(&known, Some(Algorithm::Binpack), &is_used)?;
            self.play(&planned).ok()?;
            // Instances are kept apart for when a node fails: that is worth more than fewer nodes.
            let [was, is] = skews(&mut self.prospect, &state, &self.trial.state, &planned);
            if is.out_of_place > was.out_of_place || is.crowded > was.crowded {
                return None;
            }
            set.push(planned);
        }
        Some(set)
    }

    /// Moves everything that may move off `node`.
    fn empty(&mut self, node: NodeId) {
        for known in of_node(&self.trial.state.clone(), node) {
            if !self.may_move(&self.trial.state, &known) {
                continue;
            }
            if self.moves_left() == 0 || !self.looks() {
                return;
            }
            let Some(planned) = self.plan(&known, None, &|other| other.id != node) else { continue };
            let before = self.trial.state.clone();
            if self.play(&planned).is_ok() {
                self.keep(&before, vec![planned]);
            }
        }
    }

    fn may_move(&self, state: &State, known: &Allocation) -> bool {
        known.create_index <= self.index
            && is_in(&self.ask.scope, state, known)
            && kept_back(state, self.ask, known, self.now).is_none()
    }

    /// The move to the node that the scheduler would choose if the instance were placed anew; none where that is its own.
    fn plan(
        &mut self,
        known: &Allocation,
        algorithm: Option<Algorithm>,
        may_go: &dyn Fn(&Node) -> bool,
    ) -> Option<Move> {
        let state = &self.trial.state;
        let version = state.job_version(&known.job, known.job_version)?.clone();
        let mut without = state.clone();
        without.remove_allocation(known.id);
        let to = self.prospect.best(&without, &version, &known.group, algorithm, may_go)?;
        let to = state.node(to).filter(|to| to.id != known.node)?;
        Some(Move {
            allocation: known.id,
            job: known.job.clone(),
            name: known.name(),
            from: known.node,
            from_name: known.node_name.to_string(),
            to: to.id,
            to_name: to.name.clone(),
            set: 0,
            gain: Gain::default(),
            stage: Stage::Waiting,
            detail: String::new(),
        })
    }

    fn play(&mut self, planned: &Move) -> Result<(), Stuck> {
        self.looks_left = self.looks_left.saturating_sub(LOOKS_PER_PLAY);
        self.trial.play(&mut self.scheduler, planned)
    }

    /// Keeps moves that were played since `before`.
    fn keep(&mut self, before: &State, set: Vec<Move>) {
        let frees = |node| holding(&self.trial.state, node) == 0;
        let gains: Vec<_> =
            set.iter().map(|planned| gain(&mut self.prospect, before, &self.trial.state, planned)).collect();
        for (planned, gain) in set.into_iter().zip(gains) {
            let gain = Gain { frees: frees(planned.from), ..gain };
            self.moves.push(Move { set: self.sets, gain, ..planned });
        }
        self.sets += 1;
    }
}

/// Instances that may be looked at in a cluster of that many nodes.
fn looks(nodes: usize) -> u64 {
    (REBALANCE_NODE_LOOKS_MAX / (nodes as u64).max(1)).max(REBALANCE_LOOKS_MIN)
}

fn priority(state: &State, known: &Allocation) -> u32 {
    state.job_version(&known.job, known.job_version).map_or(0, |version| version.job.priority)
}

/// The live instances on `node` that belong to no system job: the largest first, since they find room last.
fn of_node(state: &State, node: NodeId) -> Vec<Arc<Allocation>> {
    let is_per_node = |known: &Allocation| {
        let version = state.job_version(&known.job, known.job_version);
        version.is_some_and(|version| version.job.kind.is_per_node())
    };
    let live = state.allocations_of_node(node).filter(|known| known.is_live() && !is_per_node(known));
    let mut all: Vec<_> = live.cloned().collect();
    let key = |known: &Arc<Allocation>| -> (u64, u64, AllocationId) {
        (known.resources.memory_mb, known.resources.cpu_mhz, known.id)
    };
    all.sort_by_key(|known| std::cmp::Reverse(key(known)));
    all
}

/// What `planned` concerns: its group, and the two nodes.
fn concerned(state: &State, planned: &Move) -> ([(JobKey, String); 1], [NodeId; 2]) {
    let group = state.allocation(planned.allocation).map(|known| known.group.clone()).unwrap_or_default();
    ([(planned.job.clone(), group)], [planned.from, planned.to])
}

fn skews(prospect: &mut Prospect, before: &State, after: &State, planned: &Move) -> [Skew; 2] {
    let (groups, nodes) = concerned(before, planned);
    [before, after].map(|state| skew(prospect, state, groups.iter(), nodes.into_iter()))
}

/// Whether `planned`, which was played between the two states, pays by itself: it lessens what is out of place or crowded,
/// or costs nothing of that and evens the load of two nodes that differ by enough.
pub(super) fn pays(prospect: &mut Prospect, before: &State, after: &State, planned: &Move) -> bool {
    let [was, is] = skews(prospect, before, after, planned);
    if (is.out_of_place, is.crowded) != (was.out_of_place, was.crowded) {
        return is < was;
    }
    let load = |state: &State, node| state.node(node).map_or(0, |node| load_permille(state, node));
    is.load < was.load && load(before, planned.from) >= load(after, planned.to) + REBALANCE_LOAD_GAP_MIN
}

fn gain(prospect: &mut Prospect, before: &State, after: &State, planned: &Move) -> Gain {
    let [was, is] = skews(prospect, before, after, planned);
    let less = |was: u64, is: u64| was as i64 - is as i64;
    let loads = |node| [before, after].map(|state| state.node(node).map_or(0, |node| load_permille(state, node)));
    Gain {
        out_of_place: less(was.out_of_place, is.out_of_place),
        crowded: less(was.crowded, is.crowded),
        from_permille: loads(planned.from),
        to_permille: loads(planned.to),
        frees: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_more_nodes_there_are_the_fewer_instances_are_looked_at_but_some_always() {
        let most = REBALANCE_NODE_LOOKS_MAX / REBALANCE_LOOKS_MIN;
        assert_eq!(looks(0), REBALANCE_NODE_LOOKS_MAX);
        assert_eq!(looks(1000), REBALANCE_NODE_LOOKS_MAX / 1000);
        assert_eq!(looks(most as usize), REBALANCE_LOOKS_MIN);
        assert_eq!(looks(most as usize * 2), REBALANCE_LOOKS_MIN);
    }
}
