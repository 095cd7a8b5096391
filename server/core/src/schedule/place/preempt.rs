//! Whose room an instance of a higher priority may take: the least valuable work on the node where least is lost.
//!
//! Nothing ends in vain. `apply` ends the victims only together with the placement of what takes their room, and that
//! waits on the node until they are observed gone. Where room comes free anyway, because something ends already, nobody
//! else has to make way.

mod pick;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::{Allocation, AllocationId, Desired, JobKey, Resources, StopReason};

use super::super::fleet::{Fleet, Place};
use super::super::grant::Grant;
use super::super::reconcile::Want;
use super::moves::{Burden, Move};
use super::room::Ask;
use crate::limits::PREEMPTION_PRIORITY_GAP;
use crate::state::{NodeUse, State, counts_for};
use pick::{Cost, Need, Victim};

/// The work that may have to make way for one group.
pub(super) struct Victims<'a> {
    state: &'a State,
    priority: u32,
    job: JobKey,
    /// What the plan ends already.
    ending: BTreeSet<AllocationId>,
    /// Per node that was looked at.
    nodes: BTreeMap<Place, OnNode<'a>>,
    /// What the plan has placed on each node.
    placed: BTreeMap<Place, Burden>,
    /// Moves of the group at work that are in that.
    counted: usize,
    /// Instances of each group that make way already.
    making_way: BTreeMap<(&'a JobKey, &'a str), u32>,
}

/// What may make way on one node.
struct OnNode<'a> {
    victims: Vec<Victim<'a>>,
    /// What is in use of it when everything is gone that ends already, apart from what the plan has placed.
    stays: NodeUse,
    /// What ends already.
    ends: Vec<AllocationId>,
    /// The cheapest that was found, if that was looked for.
    cheapest: Option<Option<(Cost, Vec<AllocationId>)>>,
}

impl<'a> Victims<'a> {
    /// What may make way for work of `job`, which has that priority; the plan ends `ending` already.
    pub fn of(state: &'a State, priority: u32, job: &JobKey, ending: &BTreeSet<AllocationId>) -> Self {
        let (job, ending) = (job.clone(), ending.clone());
        Self {
            state,
            priority,
            job,
            ending,
            nodes: BTreeMap::new(),
            placed: BTreeMap::new(),
            counted: 0,
            making_way: BTreeMap::new(),
        }
    }

    /// The same for another group of the job, of that priority; the plan ends `ending` too by now.
    pub fn for_next_group(mut self, priority: u32, ending: &BTreeSet<AllocationId>) -> Self {
        self.priority = priority;
        self.ending.extend(ending);
        self.nodes.clear();
        self.counted = 0;
        self
    }

    /// Takes in what the group at work has placed: `moves` are all of it.
    pub fn count(&mut self, moves: &[Move<'_>]) {
        for new in &moves[self.counted..] {
            *self.placed.entry(new.to).or_default() += new.burden();
            self.nodes.remove(&new.to);
        }
        self.counted = moves.len();
    }

    /// Takes in what ends because `want` was placed.
    pub fn end(&mut self, want: &Want, fleet: &Fleet) {
        for ended in want.ends().filter_map(|stop| self.state.allocation(stop.allocation)) {
            self.ending.insert(ended.id);
            fleet.place_of(ended.node).and_then(|at| self.nodes.remove(&at));
        }
    }

    /// One of the `open` nodes where an instance has room as soon as everything is gone that ends already.
    pub fn coming_room(&mut self, fleet: &Fleet, ask: &Ask<'_>, open: &[Place]) -> Option<Place> {
        for at in open {
            self.look_at(fleet, *at);
        }
        open.iter().copied().find(|at| self.has_room_soon(fleet, ask, *at))
    }

    /// Of the `open` nodes the one where an instance finds room at the least cost, and what ends for it there; of several
    /// the one with the best `rank`. None where all together are not enough.
    pub fn cheapest<R: Ord>(
        &mut self,
        fleet: &Fleet,
        ask: &Ask<'_>,
        open: &[Place],
        rank: impl Fn(Place) -> R,
    ) -> Option<(Place, Vec<AllocationId>)> {
        for at in open {
            self.look_at(fleet, *at);
            self.weigh(fleet, ask, *at);
        }
        let cost = |at: &Place| self.nodes.get(at)?.cheapest.as_ref()?.as_ref().map(|(cost, _)| *cost);
        let costs = open.iter().filter_map(|at| Some((cost(at)?, *at)));
        let (_, at) =
            costs.min_by(|(one, here), (other, there)| one.cmp(other).then(rank(*there).cmp(&rank(*here))))?;
        let (_, taken) = self.nodes.get(&at)?.cheapest.clone()??;
        Some((at, taken))
    }

    /// Places an instance on a node in the room of those.
    pub fn take(&mut self, fleet: &mut Fleet, ask: &Ask<'_>, at: Place, taken: &[AllocationId]) -> Grant {
        let Some(on_node) = self.nodes.remove(&at) else { return Grant::default() };
        let known = taken.iter().filter_map(|id| self.state.allocation(*id));
        let inherited = NodeUse::of(known.flat_map(|known| with_predecessors(self.state, known)));
        let mut room = Resources::default();
        for victim in on_node.victims.iter().filter(|victim| taken.contains(&victim.allocation.id)) {
            room += victim.room;
            *self.making_way.entry(victim.group()).or_default() += 1;
            self.ending.insert(victim.allocation.id);
        }
        // Others of those groups may have become dearer, wherever they run.
        self.nodes.values_mut().for_each(|on_node| on_node.cheapest = None);
        ask.put_in_room(fleet, at, room, &inherited)
    }

    /// Finds out what may make way on a node.
    fn look_at(&mut self, fleet: &Fleet, at: Place) {
        if self.nodes.contains_key(&at) {
            return;
        }
        let node = &fleet.row(at).node;
        let held = self.state.held_on(node.id);
        let stays = |known: &&Arc<Allocation>| known.desired == Desired::Run && !self.ending.contains(&known.id);
        let holding = self.state.allocations_of_node(node.id).filter(|known| known.holds());
        let (staying, ending): (Vec<_>, Vec<_>) = holding.partition(stays);
        let ends = ending.into_iter().map(|known| known.id).collect();
        let stays = NodeUse::of(staying.iter().map(|known| &***known));
        let is_succeeded = |known: &Allocation| held.is_some_and(|held| held.has_successor(known.id));
        let mut victims = Vec::new();
        for known in staying.into_iter().filter(|known| !is_succeeded(known)) {
            victims.extend(self.victim(known));
        }
        self.nodes.insert(at, OnNode { victims, stays, ends, cheapest: None });
    }

    /// That allocation, if it has to make way for work of our priority.
    fn victim(&mut self, known: &'a Arc<Allocation>) -> Option<Victim<'a>> {
        let version = self.state.job_version(&known.job, known.job_version)?;
        let priority = version.job.priority;
        if known.job == self.job || priority + PREEMPTION_PRIORITY_GAP > self.priority {
            return None;
        }
        let migrate = version.job.group(&known.group).and_then(|group| group.migrate.as_ref());
        let max_parallel = migrate.map_or(u32::MAX, |migrate| migrate.max_parallel);
        let others = self.state.allocations_of_node(known.node).map(|other| &**other);
        let room = if known.ties().after.is_empty() { known.resources } else { counts_for(known, others) };
        let victim = Victim { allocation: known, room, priority, max_parallel };
        self.making_way.entry(victim.group()).or_insert_with(|| {
            let is_away = |other: &&Arc<Allocation>| {
                other.group == known.group && other.holds() && other.desired == Desired::Stop(StopReason::Preempted)
            };
            self.state.allocations_of_job(&known.job).filter(is_away).count() as u32
        });
        Some(victim)
    }

    /// Whether an instance has room on a node as soon as everything is gone that ends already.
    fn has_room_soon(&self, fleet: &Fleet, ask: &Ask<'_>, at: Place) -> bool {
        let placed = self.placed.get(&at).copied().unwrap_or_default();
        let left = |on_node: &OnNode<'_>| ask.has_room_beside(fleet, at, (&on_node.stays, &on_node.ends), placed);
        self.nodes.get(&at).is_some_and(left)
    }

    /// Finds the cheapest that makes room on a node.
    fn weigh(&mut self, fleet: &Fleet, ask: &Ask<'_>, at: Place) {
        let Some(on_node) = self.nodes.get(&at).filter(|on_node| on_node.cheapest.is_none()) else { return };
        let row = fleet.row(at);
        let short = ask.resources_on(row) - row.free();
        let frees_the_rest = |victims: &[Victim<'_>]| {
            let gone = victims.iter().flat_map(|victim| with_predecessors(self.state, victim.allocation));
            ask.is_granted_without(fleet, at, gone)
        };
        let found = ask.holders_of_ports(fleet, at).and_then(|holders| {
            let need = Need { short, holders: &holders, frees_the_rest: &frees_the_rest };
            pick::cheapest(&on_node.victims, &need, &self.making_way)
        });
        if let Some(on_node) = self.nodes.get_mut(&at) {
            on_node.cheapest = Some(found);
        }
    }
}

/// An allocation and those that it waits for.
fn with_predecessors<'s>(state: &'s State, known: &'s Allocation) -> impl Iterator<Item = &'s Allocation> {
    let before = known.ties().after.iter().filter_map(|id| state.allocation(*id)).map(|before| &**before);
    before.chain([known])
}
