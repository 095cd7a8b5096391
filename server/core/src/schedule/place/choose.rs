//! Chooses a node for each instance of one group: the best of all that could take it.

use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::sync::Arc;

use model::{Allocation, AllocationId, EvaluationId, Group, JobType, Misfit, Node, NodeId};

use super::explain::Finding;
use super::view::View;
use crate::command::Algorithm;
use crate::schedule::Feasibility;
use crate::schedule::grant::Grant;
use crate::schedule::reconcile::Want;
use crate::schedule::score::{self, Affinities, Score, Spreads};
use crate::state::State;

/// Where an instance goes.
pub(super) struct Chosen<'a> {
    /// The node.
    pub node: &'a Node,
    /// What must be gone there before it starts.
    pub after: Vec<AllocationId>,
    /// The cores and devices that it gets there.
    pub grant: Grant,
}

/// An instance that the plan places, and the node that one leaves for it.
pub(super) struct Move<'a> {
    group: &'a str,
    id: AllocationId,
    to: &'a Node,
    from: Option<&'a Node>,
}

/// Chooses nodes for the instances of one group.
pub(super) struct Chooser<'a, 'v> {
    state: &'a State,
    view: &'v mut View<'a>,
    pub group: &'a Group,
    algorithm: Algorithm,
    evaluation: EvaluationId,
    pub feasibility: Feasibility<'a>,
    affinities: Affinities<'a>,
    spreads: Spreads<'a>,
    siblings: BTreeMap<NodeId, u32>,
    /// Whether instances end by themselves: keeping those apart protects nothing, it only spoils the packing.
    runs_to_completion: bool,
    /// Nodes that could take an instance if they had room: their places in the view.
    candidates: Vec<usize>,
    heap: Option<BinaryHeap<Ranked>>,
    /// What it has placed.
    pub moves: Vec<Move<'a>>,
}

/// A candidate in the heap: the best score first, ties by a hash of evaluation and node.
type Ranked = (i64, u64, usize);

impl<'a, 'v> Chooser<'a, 'v> {
    pub(super) fn new(
        state: &'a State,
        view: &'v mut View<'a>,
        evaluation: EvaluationId,
        want: &'a Want,
        group: &'a Group,
        ending: &BTreeSet<AllocationId>,
        earlier: &[Move<'a>],
    ) -> Self {
        let mut feasibility = Feasibility::new(state, &want.version, group);
        ending.iter().for_each(|id| feasibility.leave(*id));
        earlier.iter().for_each(|done| feasibility.place(done.id, done.to, done.group == group.name));
        // What other instances of the job close is looked at for each instance; the rest holds for all.
        let is_of_others = |misfit: &Misfit| matches!(misfit, Misfit::DistinctHosts | Misfit::DistinctProperty { .. });
        let open = |at: &usize| feasibility.misfits(view.node(*at), None).iter().all(is_of_others);
        let candidates: Vec<_> = (0..view.len()).filter(open).collect();
        let nodes: Vec<_> = candidates.iter().map(|at| view.node(*at)).collect();
        let mut spreads = Spreads::of(&want.version.job, group, nodes.iter().map(|node| &***node));
        let mut siblings: BTreeMap<NodeId, u32> = BTreeMap::new();
        let key = want.version.job.key();
        // An instance that has a replacement is about to leave, and counts no more.
        let leaves =
            |known: &Allocation| known.next.and_then(|id| state.allocation(id)).is_some_and(|next| next.is_live());
        let leaves = |known: &Allocation| leaves(known) || ending.contains(&known.id);
        let counts = |known: &&Arc<Allocation>| known.is_live() && known.group == group.name && !leaves(known);
        for other in state.allocations_of_job(&key).filter(counts) {
            *siblings.entry(other.node).or_default() += 1;
            if let Some(node) = state.node(other.node) {
                spreads.add(node, 1);
            }
        }
        // What was placed before of the same group in another version.
        for done in earlier.iter().filter(|done| done.group == group.name) {
            *siblings.entry(done.to.id).or_default() += 1;
            spreads.add(done.to, 1);
            if let Some(from) = done.from {
                leave(&mut siblings, &mut spreads, from);
            }
        }
        Self {
            algorithm: state.scheduler().0.algorithm,
            affinities: Affinities::of(&want.version.job, group),
            runs_to_completion: want.version.job.kind == JobType::Batch,
            state,
            view,
            group,
            evaluation,
            feasibility,
            spreads,
            siblings,
            candidates,
            heap: None,
            moves: Vec::new(),
        }
    }

    /// The best node for `want`, on which it is placed from now on; none if no node has room.
    pub(super) fn choose(&mut self, want: &Want) -> Option<Chosen<'a>> {
        let is_plain = want.previous.is_none() && want.succeeds.is_none() && want.node.is_none();
        let at = if is_plain && self.spreads.is_empty() && !self.feasibility.is_relative() {
            self.best_of_heap()?
        } else {
            // This choice changes scores that the heap holds.
            self.heap = None;
            self.best_of_all(want)?
        };
        let grant = self.view.grant(at, self.group, self.succeeded(want));
        self.put(at, want, &grant);
        let node = self.view.node(at);
        let succeeded = self.succeeded(want).filter(|known| known.node == node.id);
        Some(Chosen { node, after: succeeded.map_or_else(Vec::new, |known| self.after(known)), grant })
    }

    /// What a successor of `known` waits for: that, and what it waits for itself. It may be gone sooner than those.
    fn after(&self, known: &Allocation) -> Vec<AllocationId> {
        let holds = |id: &AllocationId| self.state.allocation(*id).is_some_and(|known| known.holds());
        [known.id].into_iter().chain(known.after.iter().copied().filter(holds)).collect()
    }

    fn best_of_heap(&mut self) -> Option<usize> {
        if self.heap.is_none() {
            let ranked = self.candidates.iter().map(|at| self.rank(*at, None)).collect();
            self.heap = Some(ranked);
        }
        loop {
            let (score, tie, at) = self.heap.as_mut()?.pop()?;
            // What is too full now will not have room again in this plan.
            if self.view.room(at, self.group, None).is_err() {
                continue;
            }
            // The entry may be older than the last choice of this node.
            let now = self.rank(at, None);
            if now == (score, tie, at) {
                return Some(at);
            }
            self.heap.as_mut()?.push(now);
        }
    }

    fn best_of_all(&self, want: &Want) -> Option<usize> {
        let leaving = self.leaving(want);
        let fits = |at: &&usize| {
            let node = self.view.node(**at);
            want.node.is_none_or(|only| only == node.id)
                && self.feasibility.misfits(node, leaving).is_empty()
                && self.view.room(**at, self.group, self.succeeded(want)).is_ok()
        };
        self.candidates.iter().filter(fits).map(|at| self.rank(*at, Some(want))).max().map(|(_, _, at)| at)
    }

    /// What stands against `want` on each node that it may go to.
    pub(super) fn findings(&self, want: &Want) -> Vec<Finding> {
        let (leaving, succeeded) = (self.leaving(want), self.succeeded(want));
        let may_go = |at: &usize| want.node.is_none_or(|only| only == self.view.node(*at).id);
        let places = (0..self.view.len()).filter(may_go);
        places.map(|at| finding(self.view, &self.feasibility, self.group, at, leaving, succeeded)).collect()
    }

    /// The allocation that leaves when `want` is placed, now or as soon as that is healthy.
    fn leaving(&self, want: &Want) -> Option<&'a Allocation> {
        want.previous.and_then(|id| self.state.allocation(id)).map(|known| &**known)
    }

    /// The allocation whose room `want` may take over on its node.
    fn succeeded(&self, want: &Want) -> Option<&'a Allocation> {
        want.succeeds.as_ref().and_then(|stop| self.state.allocation(stop.allocation)).map(|known| &**known)
    }

    fn rank(&self, at: usize, want: Option<&Want>) -> Ranked {
        let node = self.view.node(at);
        let tie = NodeId::derive(&[self.evaluation.as_bytes(), node.id.as_bytes()]);
        let tie = u64::from_le_bytes(tie.as_bytes()[..8].try_into().expect("an id has 16 bytes"));
        (self.score(at, want).total(), tie, at)
    }

    fn score(&self, at: usize, want: Option<&Want>) -> Score {
        let node = self.view.node(at);
        let succeeded = want.and_then(|want| self.succeeded(want));
        let leaves_here = want.and_then(|want| self.leaving(want)).is_some_and(|known| known.node == node.id);
        let siblings = self.siblings.get(&node.id).copied().unwrap_or_default().saturating_sub(u32::from(leaves_here));
        let failed_there = want.is_some_and(|want| want.reschedules.iter().any(|event| event.node == node.id));
        let used = self.view.used_with(at, self.group, succeeded);
        Score {
            packing: score::packing(self.algorithm, used, node.capacity()),
            anti_affinity: if self.runs_to_completion { 0 } else { score::anti_affinity(siblings, self.group.count) },
            penalty: score::penalty(failed_there),
            affinity: self.affinities.score(node),
            spread: self.spreads.score(node),
            devices: self.view.grant(at, self.group, succeeded).device_affinity,
        }
    }

    fn put(&mut self, at: usize, want: &Want, grant: &Grant) {
        let succeeded = self.succeeded(want);
        self.view.put(at, self.group, succeeded, grant);
        let node = self.view.node(at);
        let from = self.leaving(want).and_then(|known| self.state.node(known.node));
        if let Some(from) = from {
            leave(&mut self.siblings, &mut self.spreads, from);
        }
        *self.siblings.entry(node.id).or_default() += 1;
        self.spreads.add(node, 1);
        for stop in want.succeeds.iter().chain(&want.also_ends) {
            self.feasibility.leave(stop.allocation);
        }
        // Its real id is derived by `apply`; within the plan any unused one will do.
        let number = (self.moves.len() as u64).to_le_bytes();
        let id = AllocationId::derive(&[self.evaluation.as_bytes(), self.group.name.as_bytes(), &number]);
        self.feasibility.place(id, node, true);
        self.moves.push(Move { group: &self.group.name, id, to: node, from: from.map(|node| &**node) });
        if let Some(mut heap) = self.heap.take() {
            heap.push(self.rank(at, None));
            self.heap = Some(heap);
        }
    }
}

/// Takes an instance that leaves `node` out of what is counted there.
fn leave(siblings: &mut BTreeMap<NodeId, u32>, spreads: &mut Spreads<'_>, node: &Node) {
    if let Some(siblings) = siblings.get_mut(&node.id) {
        *siblings = siblings.saturating_sub(1);
    }
    spreads.add(node, -1);
}

/// What stands against an instance of `group` on the node at that place, when `leaving` has left and the room of
/// `succeeded` may be taken over.
pub(super) fn finding(
    view: &View<'_>,
    feasibility: &Feasibility<'_>,
    group: &Group,
    at: usize,
    leaving: Option<&Allocation>,
    succeeded: Option<&Allocation>,
) -> Finding {
    let node = view.node(at);
    let mut misfits = feasibility.misfits(node, leaving);
    misfits.extend(view.room(at, group, succeeded).err().unwrap_or_default());
    let is_available = node.is_schedulable() && feasibility.conditions(node).is_empty();
    Finding { node: node.clone(), misfits, is_available }
}

#[cfg(test)]
mod tests;
