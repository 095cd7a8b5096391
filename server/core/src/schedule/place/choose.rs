//! Chooses a node for each instance of one group: the best of all that could take it.

mod looks;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::{Algorithm, Allocation, AllocationId, EvaluationId, Group, JobType, Node, NodeId};

use super::moves::Move;
use super::preempt::Victims;
use super::ranking::{Ranked, Ranking};
use super::room::{Ask, Room};
use crate::schedule::Feasibility;
use crate::schedule::fleet::{Fleet, Judge, Left, Place};
use crate::schedule::grant::{self, Grant, is_elsewhere};
use crate::schedule::reconcile::Want;
use crate::schedule::score::{self, Affinities, Score, Spreads};
use crate::state::State;

/// So many nodes are looked at in the time of one search by index.
const NODES_PER_SEARCH: usize = 100;

/// Where instances go.
pub(super) struct Chosen {
    /// The node.
    pub node: Arc<Node>,
    /// How many.
    pub count: u32,
    /// What must be gone there before they start.
    pub after: Vec<AllocationId>,
    /// What of that ends because of them.
    pub preempts: Vec<AllocationId>,
    /// The cores and devices that each gets there.
    pub grant: Grant,
}

/// Chooses nodes for the instances of one group.
pub(super) struct Chooser<'a, 'f> {
    state: &'a State,
    pub fleet: &'f mut Fleet,
    pub group: &'a Group,
    job: model::JobKey,
    kind: JobType,
    priority: u32,
    /// What the plan has ended so far.
    ending: BTreeSet<AllocationId>,
    pub ask: Ask<'a>,
    algorithm: Algorithm,
    /// Breaks ties, together with the node's hash.
    seed: u64,
    pub feasibility: Feasibility<'a>,
    affinities: Affinities,
    spreads: Spreads<'a>,
    siblings: BTreeMap<Place, u32>,
    /// Whether instances end by themselves: keeping those apart protects nothing, it only spoils the packing.
    runs_to_completion: bool,
    /// Whether nodes may lack volumes or networks that the group names.
    may_lack: bool,
    /// Nodes that meet the group's demand, open or not.
    eligible: Arc<Vec<Place>>,
    ranking: Option<Ranking>,
    /// Whose room it has taken, and may take.
    pub victims: Option<Victims<'a>>,
    /// Nodes where room comes that instances wait for, though they could take some of lower work.
    pub coming: BTreeSet<NodeId>,
    /// Such nodes of earlier groups.
    coming_for_earlier: Option<&'f BTreeSet<NodeId>>,
    /// Whether something was placed on one of those: who waits there must be looked at again.
    pub lets_down: bool,
    /// What it has placed.
    pub moves: Vec<Move<'a>>,
}

impl<'a, 'f> Chooser<'a, 'f> {
    pub(super) fn new(
        state: &'a State,
        fleet: &'f mut Fleet,
        evaluation: EvaluationId,
        want: &'a Want,
        group: &'a Group,
        ending: &BTreeSet<AllocationId>,
        earlier: &[Move<'a>],
    ) -> Self {
        let job = &want.version.job;
        let mut feasibility = Feasibility::new(state, &want.version, group);
        ending.iter().for_each(|id| feasibility.leave(*id));
        let mut eligible = fleet.eligible(feasibility.demand());
        let may_lack = grant::may_lack(group);
        if may_lack {
            let lacks_nothing = |at: &Place| grant::lacks(&fleet.row(*at).node, &job.namespace, group).is_empty();
            eligible = Arc::new(eligible.iter().copied().filter(lacks_nothing).collect());
        }
        let ask = Ask::of(state, group);
        let seed = u64::from_le_bytes(evaluation.as_bytes()[8..].try_into().expect("an id has 16 bytes"));
        let mut chooser = Self {
            algorithm: state.scheduler().0.algorithm_for(job),
            affinities: Affinities::of(fleet, job, group),
            spreads: Spreads::of(fleet, job, group, &eligible),
            ask,
            runs_to_completion: job.kind == JobType::Batch,
            job: job.key(),
            kind: job.kind,
            priority: job.priority,
            ending: ending.clone(),
            state,
            fleet,
            group,
            seed,
            feasibility,
            may_lack,
            siblings: BTreeMap::new(),
            eligible,
            ranking: None,
            victims: None,
            coming: BTreeSet::new(),
            coming_for_earlier: None,
            lets_down: false,
            moves: Vec::new(),
        };
        chooser.count_those_that_stay();
        for done in earlier {
            chooser.count_earlier(done);
        }
        chooser
    }

    /// Goes on from what earlier groups of the plan placed, and took of others; they wait for room that is `coming`.
    pub(super) fn go_on_from(&mut self, victims: Option<Victims<'a>>, coming: &'f BTreeSet<NodeId>) {
        self.coming_for_earlier = Some(coming).filter(|coming| !coming.is_empty());
        self.victims = match victims {
            Some(known) => Some(known.for_next_group(self.priority, &self.ending)),
            None if self.state.scheduler().0.preemption.allows(self.kind) => {
                Some(Victims::of(self.state, self.priority, &self.job, &self.ending))
            }
            None => None,
        };
    }

    /// What of others it took, for the next group.
    pub(super) fn hand_on(&mut self) -> Option<Victims<'a>> {
        let mut victims = self.victims.take()?;
        victims.count(&self.moves);
        Some(victims)
    }

    /// Counts the group's instances that stay.
    fn count_those_that_stay(&mut self) {
        let stay: Vec<_> = self.state.allocations_of_job(&self.job).filter(|known| self.stays(known)).collect();
        for at in stay.into_iter().filter_map(|known| self.fleet.place_of(known.node)) {
            *self.siblings.entry(at).or_default() += 1;
            self.spreads.add(at, 1);
        }
    }

    /// Whether an instance is one of the group's that stay, as far as the plan has come without this group. One that has a
    /// replacement is about to leave, and counts no more.
    fn stays(&self, known: &Allocation) -> bool {
        let is_replaced =
            || known.ties().next.and_then(|id| self.state.allocation(id)).is_some_and(|next| next.is_live());
        known.is_live() && known.group == self.group.name && !self.ending.contains(&known.id) && !is_replaced()
    }

    /// Where `leaving` is, if it counts there until it has left: one that failed is gone already.
    fn leaves(&self, leaving: Option<&Allocation>) -> Option<Place> {
        leaving.filter(|known| self.stays(known)).and_then(|known| self.fleet.place_of(known.node))
    }

    /// Counts what the plan has placed before: of another group, or of the same one in another version.
    fn count_earlier(&mut self, done: &Move<'a>) {
        let is_of_group = done.group == self.group.name;
        for _ in 0..done.count {
            self.feasibility.place(&self.fleet.row(done.to).node, is_of_group);
        }
        if !is_of_group {
            return;
        }
        *self.siblings.entry(done.to).or_default() += done.count;
        self.spreads.add(done.to, i64::from(done.count));
        done.from.filter(|(id, _)| !self.ending.contains(id)).into_iter().for_each(|(_, from)| self.leave(from));
    }

    /// The best nodes for up to `count` instances as `want` says, on which they are placed from now on.
    pub(super) fn choose(&mut self, want: &Want, count: u32) -> Vec<Chosen> {
        if want.is_plain() {
            let chosen = if self.is_searched(count) { self.search(count) } else { self.choose_by_rank(count) };
            return self.moved(chosen);
        }
        // These choices change scores that the ranking holds.
        self.ranking = None;
        let one = (0..count).map_while(|_| self.choose_of_all(want));
        one.collect()
    }

    /// Whether nodes for that many plain instances are found by index. What prefers nodes for what they are is not: there
    /// the index, which knows of room alone, would open most of its cells.
    fn is_searched(&mut self, count: u32) -> bool {
        self.ranking.is_none()
            && self.spreads.is_empty()
            && self.affinities.is_empty()
            && self.ask.amounts().is_some()
            && count as usize * NODES_PER_SEARCH <= self.eligible.len()
            && self.fleet.is_searchable(self.feasibility.demand())
    }

    /// Nodes for a few plain instances.
    fn search(&mut self, count: u32) -> Vec<(Place, u32, Grant)> {
        let mut chosen = Vec::new();
        for _ in 0..count {
            let demand = self.feasibility.demand();
            self.fleet.prepare_search(demand);
            let Some(amounts) = self.ask.amounts() else { break };
            let Some(at) = self.fleet.search(demand, amounts, self.seed, self) else { break };
            let grant = self.put(at, None);
            add(&mut chosen, at, grant);
        }
        chosen
    }

    /// Nodes for equal instances that nothing else is to be said of.
    fn choose_by_rank(&mut self, count: u32) -> Vec<(Place, u32, Grant)> {
        let mut ranking = match self.ranking.take() {
            Some(ranking) => ranking,
            None => Ranking::of(self.ranked().into_iter(), &self.spreads),
        };
        let mut chosen = Vec::new();
        let mut placed = 0;
        while placed < count {
            let Some(at) = ranking.best() else { break };
            // What is too full or closed now will not be open again in this plan.
            if !self.is_open(at, None) || !self.ask.has_room(self.fleet, at, None) {
                ranking.replace_best(None);
                continue;
            }
            let grant = self.put(at, None);
            ranking.replace_best(Some(self.rank(at)));
            if !self.spreads.is_empty() {
                ranking.weigh(&self.spreads);
            }
            add(&mut chosen, at, grant);
            placed += 1;
        }
        self.ranking = Some(ranking);
        chosen
    }

    /// Remembers where plain instances went.
    fn moved(&mut self, chosen: Vec<(Place, u32, Grant)>) -> Vec<Chosen> {
        for (to, count, _) in &chosen {
            let ask = self.ask.resources_on(self.fleet.row(*to));
            self.moves.push(Move { group: &self.group.name, count: *count, ask, to: *to, from: None });
        }
        let node = |at: Place| self.fleet.row(at).node.clone();
        chosen
            .into_iter()
            .map(|(at, count, grant)| {
                let (after, preempts) = (Vec::new(), Vec::new());
                Chosen { node: node(at), count, after, preempts, grant }
            })
            .collect()
    }

    /// Nodes on which up to `count` instances find room when work of a lower priority ends, at the least cost.
    pub(super) fn preempt(&mut self, want: &Want, count: u32) -> Vec<Chosen> {
        // What replaces an instance waits, and that one runs on.
        if count == 0 || want.succeeds.is_some() || want.to.is_some() {
            return Vec::new();
        }
        let Some(mut victims) = self.victims.take() else { return Vec::new() };
        victims.count(&self.moves);
        let chosen = (0..count).map_while(|_| self.preempt_for_one(&mut victims, want)).collect();
        self.victims = Some(victims);
        chosen
    }

    fn preempt_for_one(&mut self, victims: &mut Victims<'a>, want: &Want) -> Option<Chosen> {
        let leaving = self.leaving(want);
        let is_open = |at: &Place| self.may_go(*at, want) && self.is_open(*at, leaving);
        let open: Vec<_> = self.eligible.iter().copied().filter(is_open).collect();
        if let Some(at) = victims.coming_room(self.fleet, &self.ask, &open) {
            // Nobody has to make way: it waits for that.
            self.coming.insert(self.fleet.row(at).node.id);
            return None;
        }
        let rank = |at: Place| (self.score(at, Some(want)).total(), self.tie(at));
        let (at, taken) = victims.cheapest(self.fleet, &self.ask, &open, rank)?;
        self.ranking = None;
        let grant = victims.take(self.fleet, &self.ask, at, &taken);
        self.counted(at);
        self.moved_one(at, leaving);
        victims.count(&self.moves);
        victims.end(want, self.fleet);
        self.end(want);
        let known = taken.iter().filter_map(|id| self.state.allocation(*id));
        let after: BTreeSet<_> = known.flat_map(|known| self.after(known)).collect();
        let node = self.fleet.row(at).node.clone();
        Some(Chosen { node, count: 1, after: after.into_iter().collect(), preempts: taken, grant })
    }

    /// The nodes with room for a plain instance.
    fn ranked(&self) -> Vec<Ranked> {
        let open = self.eligible.iter().copied().filter(|at| self.fleet.row(*at).is_open);
        let ranked = |at: Place| Some(self.rank_in(at, &self.ask.room(self.fleet, at, None)?));
        open.filter_map(ranked).collect()
    }

    /// The node for one instance that replaces another, or is bound to a node.
    fn choose_of_all(&mut self, want: &Want) -> Option<Chosen> {
        let (at, _) = self.best_of_all(want)?;
        let (leaving, succeeded) = (self.leaving(want), self.succeeded(want));
        let grant = self.put(at, succeeded);
        self.moved_one(at, leaving);
        if let Some(mut victims) = self.victims.take() {
            victims.end(want, self.fleet);
            self.victims = Some(victims);
        }
        self.end(want);
        let node = self.fleet.row(at).node.clone();
        let succeeded = succeeded.filter(|known| known.node == node.id);
        let after = succeeded.map_or_else(Vec::new, |known| self.after(known));
        Some(Chosen { node, count: 1, after, preempts: Vec::new(), grant })
    }

    /// Remembers where one instance went in place of `leaving`.
    fn moved_one(&mut self, at: Place, leaving: Option<&Allocation>) {
        let from = leaving.and_then(|known| Some((known.id, self.leaves(leaving)?)));
        from.into_iter().for_each(|(_, from)| self.leave(from));
        let ask = self.ask.resources_on(self.fleet.row(at));
        self.moves.push(Move { group: &self.group.name, count: 1, ask, to: at, from });
    }

    /// Takes out what ends because `want` was placed.
    fn end(&mut self, want: &Want) {
        for stop in want.ends() {
            self.feasibility.leave(stop.allocation);
        }
    }

    /// The best of all nodes for `want`, with its score.
    fn best_of_all(&self, want: &Want) -> Option<(Place, Score)> {
        let only =
            want.only_node().map(|id| self.fleet.place_of(id).filter(|at| self.eligible.binary_search(at).is_ok()));
        let (leaving, succeeded) = (self.leaving(want), self.succeeded(want));
        let rank = |at: Place| {
            let may_go = self.may_go(at, want) && self.is_open(at, leaving);
            let room = may_go.then(|| self.ask.room(self.fleet, at, succeeded)).flatten()?;
            Some((self.score_in(at, Some(want), &room), at))
        };
        let best = match only {
            Some(only) => only.and_then(rank),
            None => self.with_its_disk(leaving).and_then(rank).or_else(|| {
                let all = self.eligible.iter().copied().filter_map(rank);
                all.max_by_key(|(score, at)| (score.total(), self.tie(*at), *at))
            }),
        };
        best.map(|(score, at)| (at, score))
    }

    /// Where the disk is of the instance that leaves, if its successor shall come back to that.
    fn with_its_disk(&self, leaving: Option<&Allocation>) -> Option<Place> {
        let at = leaving.filter(|_| self.group.ephemeral_disk.sticky).and_then(|known| self.fleet.place_of(known.node));
        at.filter(|at| self.eligible.binary_search(at).is_ok())
    }

    /// Whether the node takes new work, and other instances of the job leave it open when `leaving` has left.
    fn is_open(&self, at: Place, leaving: Option<&Allocation>) -> bool {
        let row = self.fleet.row(at);
        row.is_open
            && self.feasibility.is_left_open(&row.node, leaving)
            && (!self.may_lack || grant::lacks(&row.node, &self.job.namespace, self.group).is_empty())
    }

    /// What a successor of `known` waits for: that, and what it waits for itself. It may be gone sooner than those.
    fn after(&self, known: &Allocation) -> Vec<AllocationId> {
        let holds = |id: &AllocationId| self.state.allocation(*id).is_some_and(|known| known.holds());
        [known.id].into_iter().chain(known.ties().after.iter().copied().filter(holds)).collect()
    }

    /// Whether `want` is bound to no other node: the only one of a system job, or the one with its volumes.
    fn may_go(&self, at: Place, want: &Want) -> bool {
        let node = &self.fleet.row(at).node;
        want.node.is_none_or(|only| only == node.id)
            && want.claims.iter().all(|claim| is_elsewhere(node, claim).is_none())
    }

    /// The allocation that leaves when `want` is placed, now or as soon as that is healthy.
    pub(super) fn leaving(&self, want: &Want) -> Option<&'a Allocation> {
        want.previous.and_then(|id| self.state.allocation(id)).map(|known| &**known)
    }

    /// The allocation whose room `want` may take over on its node.
    pub(super) fn succeeded(&self, want: &Want) -> Option<&'a Allocation> {
        want.succeeds.as_ref().and_then(|stop| self.state.allocation(stop.allocation)).map(|known| &**known)
    }

    /// The rank of a plain instance without spreads.
    fn rank(&self, at: Place) -> Ranked {
        self.rank_in(at, &self.ask.room_to_come(self.fleet, at, None))
    }

    fn rank_in(&self, at: Place, room: &Room) -> Ranked {
        let score = self.score_in(at, None, room);
        (score.total() - score.spread, self.tie(at), at)
    }

    fn tie(&self, at: Place) -> u64 {
        self.fleet.row(at).hash.wrapping_sub(self.seed)
    }

    /// The score where there may be no room yet.
    fn score(&self, at: Place, want: Option<&Want>) -> Score {
        let succeeded = want.and_then(|want| self.succeeded(want));
        self.score_in(at, want, &self.ask.room_to_come(self.fleet, at, succeeded))
    }

    fn score_in(&self, at: Place, want: Option<&Want>, room: &Room) -> Score {
        let row = self.fleet.row(at);
        let succeeded = want.and_then(|want| self.succeeded(want));
        let leaving = want.and_then(|want| self.leaving(want)).filter(|known| known.node == row.node.id);
        let leaves_here = self.leaves(leaving).is_some();
        let siblings = match self.siblings.is_empty() {
            true => 0,
            false => self.siblings.get(&at).copied().unwrap_or_default().saturating_sub(u32::from(leaves_here)),
        };
        let failed_there = want.is_some_and(|want| want.reschedules.iter().any(|event| event.node == row.node.id));
        let used = self.ask.used_with(self.fleet, at, succeeded);
        let packing = match self.algorithm {
            Algorithm::Binpack => {
                let (left, takes_device) = (row.capacity - used, room.devices.is_some());
                let devices = room.devices.map_or(row.devices, |(_, devices)| devices);
                -self.fleet.packing().cost(row, row.free(), left, &devices, takes_device)
            }
            Algorithm::Spread => score::emptiness(used, row.capacity),
        };
        Score {
            packing,
            anti_affinity: if self.runs_to_completion { 0 } else { score::anti_affinity(siblings, self.group.count) },
            penalty: score::penalty(failed_there),
            affinity: self.affinities.score(at),
            spread: self.spreads.score(at),
            devices: room.devices.map_or(0, |(affinity, _)| affinity),
        }
    }

    fn put(&mut self, at: Place, succeeded: Option<&Allocation>) -> Grant {
        let grant = self.ask.put(self.fleet, at, succeeded);
        self.counted(at);
        grant
    }

    /// Counts an instance that was placed.
    fn counted(&mut self, at: Place) {
        *self.siblings.entry(at).or_default() += 1;
        self.spreads.add(at, 1);
        if !self.coming.is_empty() || self.coming_for_earlier.is_some() {
            let node = &self.fleet.row(at).node.id;
            let is_awaited = self.coming_for_earlier.is_some_and(|coming| coming.contains(node));
            self.lets_down |= is_awaited || self.coming.contains(node);
        }
        if self.feasibility.is_relative() {
            self.feasibility.place(&self.fleet.row(at).node, true);
        }
    }

    /// Takes an instance that leaves a node out of what is counted there.
    fn leave(&mut self, from: Place) {
        if let Some(siblings) = self.siblings.get_mut(&from) {
            *siblings = siblings.saturating_sub(1);
        }
        self.spreads.add(from, -1);
    }
}

/// Counts one more instance for a place.
fn add(chosen: &mut Vec<(Place, u32, Grant)>, at: Place, grant: Grant) {
    match chosen.last_mut().filter(|(last, _, known)| *last == at && *known == grant) {
        Some((_, count, _)) => *count += 1,
        None => chosen.push((at, 1, grant)),
    }
}

/// A plain instance in search of a node.
impl Judge for Chooser<'_, '_> {
    fn bound(&self, left: &Left) -> i64 {
        match self.algorithm {
            Algorithm::Binpack => -self.fleet.packing().cost_at_least(self.ask.amounts().unwrap_or_default(), left),
            Algorithm::Spread => score::emptiness_at_most(left),
        }
    }

    fn unspoilt(&self, at: Place) -> i64 {
        self.score(at, None).packing
    }

    fn candidate(&self, at: Place) -> Option<Ranked> {
        let room = self.is_open(at, None).then(|| self.ask.room(self.fleet, at, None)).flatten()?;
        Some(self.rank_in(at, &room))
    }
}

#[cfg(test)]
mod tests;
