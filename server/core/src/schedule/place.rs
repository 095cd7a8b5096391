//! Finds a node for every wanted instance: the best of all that are feasible, never of a sample.
//!
//! Equal instances of a group are placed in one pass: all feasible nodes are scored once and stand in a heap, and after
//! each choice only the chosen node's score changes. Where a choice changes other nodes' scores (spreads, distinct
//! properties), or an instance is not like the others, all are scored anew.

mod explain;
mod survey;
mod view;

use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::sync::Arc;

use model::{Allocation, AllocationId, EvaluationId, Group, JobType, Misfit, Node, NodeId, Unplaced};

use super::Feasibility;
use super::reconcile::Want;
use super::score::{self, Affinities, Score, Spreads};
use crate::command::Algorithm;
use crate::limits::PLAN_INSTANCES_MAX;
use crate::plan::{Placement, Stop, Tail};
use crate::state::State;
use view::View;

pub(crate) use explain::{Finding, sum};
pub(crate) use survey::Survey;

/// Where the wanted instances go.
#[derive(Default)]
pub(super) struct Placed {
    /// The plan's lines.
    pub placements: Vec<Placement>,
    /// What ends because something took its place.
    pub stops: Vec<Stop>,
    /// What found no room.
    pub unplaced: BTreeMap<String, Unplaced>,
    /// Whether the plan is full and more must follow.
    pub cut_short: bool,
}

/// Finds nodes for `wants`; the plan ends `stops` whatever is found.
pub(super) fn place(state: &State, evaluation: EvaluationId, stops: &[Stop], wants: Vec<Want>) -> Placed {
    let mut placed = Placed::default();
    if wants.is_empty() {
        // Most evaluations find that all is as it should be; they need no look at the nodes.
        return placed;
    }
    let mut view = View::of(state);
    let mut rest = wants.as_slice();
    let mut lines = Lines::default();
    let ending = stops.iter().map(|stop| stop.allocation).collect();
    'groups: while let Some(first) = rest.first() {
        let is_same = |want: &Want| want.group == first.group && want.version.version == first.version.version;
        let end = rest.iter().position(|want| !is_same(want)).unwrap_or(rest.len());
        let (of_group, others) = rest.split_at(end);
        rest = others;
        let Some(group) = first.version.job.group(&first.group) else { continue };
        let mut chooser = Chooser::new(state, &mut view, evaluation, first, group, &ending);
        for want in of_group {
            if lines.instances >= PLAN_INSTANCES_MAX {
                placed.cut_short = true;
                break 'groups;
            }
            match chooser.choose(want) {
                Some(chosen) => {
                    placed.stops.extend(want.succeeds.iter().chain(&want.also_ends).cloned());
                    lines.add(want, &chosen);
                }
                None => explain::count(&mut placed.unplaced, &chooser, want),
            }
        }
    }
    placed.placements = lines.all;
    give_up_partial_all_at_once(&mut placed, &wants);
    placed
}

/// A job that wants everything or nothing gets nothing when something found no room.
fn give_up_partial_all_at_once(placed: &mut Placed, wants: &[Want]) {
    // A system job has its place on each node for itself.
    let is_one = |want: &Want| want.version.job.all_at_once && !want.version.job.kind.is_per_node();
    let all_at_once = wants.first().is_some_and(is_one);
    if all_at_once && !placed.unplaced.is_empty() {
        placed.placements.clear();
        placed.stops.clear();
    }
}

/// Where an instance goes.
struct Chosen<'a> {
    node: &'a Node,
    /// What must be gone there before it starts.
    after: Vec<AllocationId>,
}

/// The plan's lines as they grow: equal instances on one node share a line.
#[derive(Default)]
struct Lines {
    all: Vec<Placement>,
    places: BTreeMap<(String, u64, NodeId, bool), usize>,
    instances: u32,
}

impl Lines {
    fn add(&mut self, want: &Want, chosen: &Chosen<'_>) {
        let tail = Tail {
            index: want.index,
            previous: want.previous,
            after: chosen.after.clone(),
            canary: want.canary,
            reschedules: want.reschedules.clone(),
        };
        let is_plain = tail == Tail::default();
        let version = want.version.version;
        let at = *self.places.entry((want.group.clone(), version, chosen.node.id, is_plain)).or_insert_with(|| {
            self.all.push(Placement {
                group: want.group.clone(),
                job_version: version,
                node: chosen.node.id,
                node_generation: chosen.node.generation,
                count: 0,
                tails: Vec::new(),
            });
            self.all.len() - 1
        });
        self.all[at].count += 1;
        self.instances += 1;
        if !is_plain {
            self.all[at].tails.push(tail);
        }
    }
}

/// Chooses nodes for the instances of one group.
pub(super) struct Chooser<'a, 'v> {
    state: &'a State,
    view: &'v mut View<'a>,
    group: &'a Group,
    algorithm: Algorithm,
    evaluation: EvaluationId,
    feasibility: Feasibility<'a>,
    affinities: Affinities<'a>,
    spreads: Spreads<'a>,
    siblings: BTreeMap<NodeId, u32>,
    /// Whether instances end by themselves: keeping those apart protects nothing, it only spoils the packing.
    runs_to_completion: bool,
    /// Nodes that could take an instance if they had room: their places in the view.
    candidates: Vec<usize>,
    heap: Option<BinaryHeap<Ranked>>,
    placed: u64,
}

/// A candidate in the heap: the best score first, ties by a hash of evaluation and node.
type Ranked = (i64, u64, usize);

impl<'a, 'v> Chooser<'a, 'v> {
    fn new(
        state: &'a State,
        view: &'v mut View<'a>,
        evaluation: EvaluationId,
        want: &'a Want,
        group: &'a Group,
        ending: &BTreeSet<AllocationId>,
    ) -> Self {
        let mut feasibility = Feasibility::new(state, &want.version, group);
        ending.iter().for_each(|id| feasibility.leave(*id));
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
            placed: 0,
        }
    }

    /// The best node for `want`, on which it is placed from now on; none if no node has room.
    fn choose(&mut self, want: &Want) -> Option<Chosen<'a>> {
        let is_plain = want.previous.is_none() && want.succeeds.is_none() && want.node.is_none();
        let at = if is_plain && self.spreads.is_empty() && !self.feasibility.is_relative() {
            self.best_of_heap()?
        } else {
            // This choice changes scores that the heap holds.
            self.heap = None;
            self.best_of_all(want)?
        };
        self.put(at, want);
        let node = self.view.node(at);
        let succeeded = self.succeeded(want).filter(|known| known.node == node.id);
        Some(Chosen { node, after: succeeded.map_or_else(Vec::new, |known| self.after(known)) })
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
    fn findings(&self, want: &Want) -> Vec<Finding> {
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
        }
    }

    fn put(&mut self, at: usize, want: &Want) {
        let succeeded = self.succeeded(want);
        self.view.put(at, self.group, succeeded);
        let node = self.view.node(at).clone();
        if let Some(left) = self.leaving(want).and_then(|known| self.state.node(known.node)) {
            if let Some(siblings) = self.siblings.get_mut(&left.id) {
                *siblings = siblings.saturating_sub(1);
            }
            self.spreads.add(left, -1);
        }
        *self.siblings.entry(node.id).or_default() += 1;
        self.spreads.add(&node, 1);
        for stop in want.succeeds.iter().chain(&want.also_ends) {
            self.feasibility.leave(stop.allocation);
        }
        // Its real id is derived by `apply`; within the plan any unused one will do.
        self.placed += 1;
        let id =
            AllocationId::derive(&[self.evaluation.as_bytes(), self.group.name.as_bytes(), &self.placed.to_le_bytes()]);
        self.feasibility.place(id, &node);
        if let Some(mut heap) = self.heap.take() {
            heap.push(self.rank(at, None));
            self.heap = Some(heap);
        }
    }
}

/// What stands against an instance of `group` on the node at that place, when `leaving` has left and the room of
/// `succeeded` may be taken over.
fn finding(
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
