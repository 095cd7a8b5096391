//! A node for every wanted instance: each time all nodes are looked at, and everything about them is counted anew.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::{AllocationId, ClientStatus, EvaluationId, Group, Job, Misfit, Node, NodeId};
use server_core::plan::Stop;
use server_core::rebalance::Stage;
use server_core::state::State;
use server_core::testing::Wanted;

use crate::demand;
use crate::desk::{Desk, Piece, Placed, capacity, held, number};
use crate::equipment::{Given, give, short_of_ports};
use crate::order::best_order;
use crate::packing::Packing;
use crate::preempt::{Search, search};
use crate::score::{Candidate, score};
use crate::volumes::{claims, contended, is_elsewhere, own_volumes};

/// A plan as the reference makes it.
pub struct Plan<'a> {
    /// What it is made on, and what it has placed.
    pub desk: Desk<'a>,
    /// What makes way for it.
    pub preempted: BTreeSet<AllocationId>,
    /// The instances.
    pub instances: Vec<Instance>,
    /// What ends because something took its place.
    pub stops: Vec<Stop>,
    /// What found no room, by group.
    pub unplaced: BTreeMap<String, Unplaced>,
    /// Whether the answer is not settled by the description.
    pub is_open_question: bool,
    /// What stands against what found no room, by group and node.
    against: BTreeMap<String, BTreeMap<NodeId, BTreeMap<String, bool>>>,
    packing: Packing,
    seed: u64,
}

/// An instance, and where it goes.
pub struct Instance {
    /// What was wanted.
    pub want: Wanted,
    /// Where.
    pub node: Arc<Node>,
    /// What must be gone first.
    pub after: BTreeSet<AllocationId>,
    /// What of that ends for it.
    pub preempts: BTreeSet<AllocationId>,
    /// What it gets beyond amounts.
    pub given: Given,
}

/// What found no room.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Unplaced {
    /// How many.
    pub count: u32,
    /// All nodes, those that could never take it, and those that are too full.
    pub nodes: [u32; 3],
    /// On how many each reason was met.
    pub reasons: BTreeMap<String, u32>,
}

impl Unplaced {
    /// So many, with what stands against any of them on each node, and whether that lasts.
    fn of(count: u32, against: &BTreeMap<NodeId, BTreeMap<String, bool>>) -> Self {
        let mut sums = Self { count, nodes: [against.len() as u32, 0, 0], ..Self::default() };
        for reasons in against.values() {
            let lasts = reasons.values().any(|lasts| *lasts);
            sums.nodes[1] += u32::from(lasts);
            sums.nodes[2] += u32::from(!reasons.is_empty() && !lasts);
            for reason in reasons.keys() {
                *sums.reasons.entry(reason.clone()).or_default() += 1;
            }
        }
        sums
    }
}

/// A want at its turn.
pub struct Turn<'a> {
    /// The version of the job.
    pub job: &'a Job,
    /// The group.
    pub group: &'a Group,
    /// The want.
    pub want: &'a Wanted,
}

impl<'a> Plan<'a> {
    /// Finds nodes for `wants` of a job; the plan ends `stops` whatever is found.
    pub fn of(
        state: &'a State,
        evaluation: EvaluationId,
        job: &model::JobKey,
        stops: &[Stop],
        wants: Vec<Wanted>,
    ) -> Self {
        let mut desk = Desk::new(state, job);
        desk.ending = stops.iter().map(|stop| stop.allocation).collect();
        let mut plan = Self {
            desk,
            preempted: BTreeSet::new(),
            instances: Vec::new(),
            stops: Vec::new(),
            unplaced: BTreeMap::new(),
            against: BTreeMap::new(),
            is_open_question: false,
            packing: Packing::of(state),
            seed: tail(evaluation.as_bytes()),
        };
        let document = |want: &Wanted| state.job_version(job, want.version).map(|version| &version.job);
        let wants = best_order(state, wants, &|want| document(want)?.group(&want.group));
        let own = |want: &Wanted| own_volumes(document(want)?.group(&want.group)?, want.index);
        let is_alike = |one: &Wanted, other: &Wanted| {
            let of_each = |want: &Wanted| want.index.filter(|_| own(want).is_some());
            (&one.group, one.version, of_each(one)) == (&other.group, other.version, of_each(other))
        };
        for same in wants.chunk_by(is_alike) {
            let Some(job) = document(&same[0]) else { continue };
            let Some(group) = job.group(&same[0].group) else { continue };
            plan.place_all(job, own(&same[0]).as_ref().unwrap_or(group), same);
        }
        let is_one = wants.first().and_then(document).is_some_and(|job| job.all_at_once && !job.kind.is_per_node());
        if is_one && !plan.unplaced.is_empty() {
            for given_up in std::mem::take(&mut plan.instances) {
                if let Some(known) = plan.unplaced.get_mut(&given_up.want.group) {
                    known.count += 1;
                }
            }
            plan.stops.clear();
        }
        plan
    }

    fn place_all(&mut self, job: &Job, group: &Group, wants: &[Wanted]) {
        let mut open: Vec<_> = wants.iter().map(|want| (want, want.count)).collect();
        loop {
            let mut rest = Vec::new();
            let mut gave_back = false;
            for (want, count) in open {
                let turn = Turn { job, group, want };
                let mut found = 0;
                while found < count && self.place_one(&turn) {
                    found += 1;
                }
                while found < count && self.preempt_for_one(&turn) {
                    found += 1;
                }
                gave_back |= found > 0 && want.previous.is_some();
                if found < count {
                    rest.push((want, count - found));
                }
            }
            if !gave_back || !demand::is_relative(job, group) || rest.is_empty() {
                for (want, count) in rest {
                    self.explain(&Turn { job, group, want }, count);
                }
                return;
            }
            open = rest;
        }
    }

    fn place_one(&mut self, turn: &Turn<'_>) -> bool {
        let state = self.desk.state;
        let may: Vec<_> = state.nodes().filter(|node| self.takes(turn, node)).cloned().collect();
        let previous = turn.want.previous.and_then(|id| state.allocation(id));
        let with_its_disk = may
            .iter()
            .find(|node| turn.group.ephemeral_disk.sticky && previous.is_some_and(|known| known.node == node.id));
        let best = may.iter().max_by_key(|node| self.rank(turn, node, &self.after(turn, node)));
        let Some(node) = with_its_disk.or(best).cloned() else { return false };
        let after = self.after(turn, &node);
        self.put(turn, node, after, &[]);
        true
    }

    fn preempt_for_one(&mut self, turn: &Turn<'_>) -> bool {
        let may_not = turn.want.succeeds.is_some() || promised(self.desk.state, turn).is_some();
        if may_not || !self.desk.state.scheduler().0.preemption.allows(turn.job.kind) {
            return false;
        }
        let open: Vec<_> = self.desk.state.nodes().filter(|node| self.is_open(turn, node)).cloned().collect();
        match search(self, turn, &open) {
            Search::Nothing => false,
            Search::TooMany => {
                self.is_open_question = true;
                false
            }
            Search::Room(node, victims) => {
                let after: BTreeSet<_> = victims.iter().flat_map(|id| self.desk.waits_for(*id)).collect();
                self.put(turn, node, after.into_iter().collect(), &victims);
                true
            }
        }
    }

    /// Puts an instance on a node, and ends what it replaces.
    fn put(&mut self, turn: &Turn<'_>, node: Arc<Node>, after: Vec<AllocationId>, victims: &[AllocationId]) {
        let given = give(&node, turn.group, &self.desk.on(node.id), &after).unwrap_or_default();
        let piece = self.desk.newcomer(&node, turn.group, after.clone(), &given);
        self.desk.pieces.push(piece);
        self.desk.placed.push(Placed { group: turn.group.name.clone(), node: node.id, previous: turn.want.previous });
        let ends: Vec<Stop> = turn.want.succeeds.iter().chain(&turn.want.also_ends).cloned().collect();
        self.desk.ending.extend(ends.iter().map(|stop| stop.allocation).chain(victims.iter().copied()));
        self.preempted.extend(victims);
        self.stops.extend(ends);
        self.instances.push(Instance {
            want: turn.want.clone(),
            node,
            after: after.into_iter().collect(),
            preempts: victims.iter().copied().collect(),
            given,
        });
    }

    /// Whether the node may be taken at all, whatever room it has.
    fn is_open(&self, turn: &Turn<'_>, node: &Node) -> bool {
        bound(self.desk.state, turn).is_none_or(|only| only == node.id)
            && self.claimed_elsewhere(turn, node).is_empty()
            && demand::is_open(node)
            && demand::is_eligible(node, turn.job, turn.group)
            && demand::others(&self.desk, node, turn.job, turn.group, turn.want.previous).is_empty()
    }

    fn takes(&self, turn: &Turn<'_>, node: &Node) -> bool {
        let after = self.after(turn, node);
        let here = self.desk.on(node.id);
        self.is_open(turn, node)
            && self.has_amounts(turn, node, &after)
            && self.has_place(turn, node, &here, &after)
            && short_of_ports(node, turn.group, &here, &after).is_empty()
            && contended(turn.group, &here, &after).is_empty()
            && give(node, turn.group, &here, &after).is_ok()
    }

    /// The volumes that the instance comes back to, and `node` does not have.
    fn claimed_elsewhere(&self, turn: &Turn<'_>, node: &Node) -> Vec<Misfit> {
        let index = turn.want.index.filter(|_| turn.want.node.is_none());
        let claims = claims(self.desk.state, turn.job, turn.group, index);
        claims.iter().filter_map(|claim| is_elsewhere(node, claim)).collect()
    }

    /// What must be gone before an instance starts there: what it succeeds, if that is there.
    fn after(&self, turn: &Turn<'_>, node: &Node) -> Vec<AllocationId> {
        let succeeded = turn.want.succeeds.as_ref().and_then(|stop| self.desk.state.allocation(stop.allocation));
        succeeded.filter(|known| known.node == node.id).map_or_else(Vec::new, |known| self.desk.waits_for(known.id))
    }

    /// Whether the amounts suffice when the instance comes after those.
    pub fn has_amounts(&self, turn: &Turn<'_>, node: &Node, after: &[AllocationId]) -> bool {
        let [ask, free] = self.ask_and_free(turn, node, after);
        (0..4).all(|at| ask[at] <= free[at])
    }

    /// Whether the node may hold one more beside what is `here`, of which it comes after those.
    pub fn has_place(&self, turn: &Turn<'_>, node: &Node, here: &[&Piece], after: &[AllocationId]) -> bool {
        let new = self.desk.newcomer(node, turn.group, after.to_vec(), &Given::default());
        let then: Vec<&Piece> = here.iter().copied().chain([&new]).collect();
        node.max_allocations.is_none_or(|max| number(&then) <= u64::from(max))
    }

    /// What an instance asks of each dimension, and what is free for it: that included which it takes over.
    fn ask_and_free(&self, turn: &Turn<'_>, node: &Node, after: &[AllocationId]) -> [[u64; 4]; 2] {
        let here = self.desk.on(node.id);
        let new = self.desk.newcomer(node, turn.group, after.to_vec(), &Given::default());
        let then: Vec<&Piece> = here.iter().copied().chain([&new]).collect();
        let alone = self.desk.newcomer(node, turn.group, Vec::new(), &Given::default());
        let (has, before, then, ask) = (capacity(node), held(&here), held(&then), held(&[&alone]));
        let taken_over = |at: usize| ask[at] - (then[at] - before[at]);
        [ask, std::array::from_fn(|at| has[at].saturating_sub(before[at]) + taken_over(at))]
    }

    /// How good a node is, and what breaks ties.
    pub fn rank(&self, turn: &Turn<'_>, node: &Node, after: &[AllocationId]) -> (i64, u64) {
        let given = give(node, turn.group, &self.desk.on(node.id), after).ok();
        let new = self.desk.newcomer(node, turn.group, after.to_vec(), given.as_ref().unwrap_or(&Given::default()));
        let of = Candidate { job: turn.job, group: turn.group, want: turn.want };
        let score = score(&self.desk, &self.packing, &of, node, &new, given.as_ref());
        (score, scattered(tail(node.id.as_bytes())).wrapping_sub(self.seed))
    }

    /// Counts what found no room, with the reasons of now.
    fn explain(&mut self, turn: &Turn<'_>, count: u32) {
        let nodes: Vec<_> = self
            .desk
            .state
            .nodes()
            .filter(|node| bound(self.desk.state, turn).is_none_or(|only| only == node.id))
            .collect();
        let misfits: Vec<_> = nodes.into_iter().map(|node| (node.id, self.misfits(turn, node))).collect();
        let known = self.unplaced.entry(turn.group.name.clone()).or_default();
        // The first speaks for its equals, one that is bound to a node or has volumes of its own for itself.
        let of_all = turn.job.group(&turn.group.name);
        let is_own = of_all.is_some_and(|group| own_volumes(group, turn.want.index).is_some());
        let comes_back = !claims(self.desk.state, turn.job, turn.group, turn.want.index).is_empty();
        let speaks = known.count == 0 || turn.want.node.is_some() || is_own || comes_back;
        let against = self.against.entry(turn.group.name.clone()).or_default();
        for (node, misfits) in misfits.into_iter().filter(|_| speaks) {
            let reasons = against.entry(node).or_default();
            for misfit in misfits {
                // Two asks for devices of one name may be short for different reasons.
                *reasons.entry(misfit.dimension().into_owned()).or_default() |= misfit.is_filter();
            }
        }
        *known = Unplaced::of(known.count + count, against);
    }

    fn misfits(&self, turn: &Turn<'_>, node: &Node) -> Vec<Misfit> {
        let after = self.after(turn, node);
        let here = self.desk.on(node.id);
        let mut misfits = demand::misfits(&self.desk, node, turn.job, turn.group, turn.want.previous);
        let [ask, free] = self.ask_and_free(turn, node, &after);
        let is_short = |at: usize| ask[at] > free[at];
        if is_short(0) {
            misfits.push(Misfit::Cpu { ask_mhz: ask[0], free_mhz: free[0] });
        }
        if is_short(1) {
            misfits.push(Misfit::Memory { ask_mb: ask[1], free_mb: free[1] });
        }
        // Who asks for no more than he reserves is told of the reservation only.
        if is_short(2) && !(is_short(1) && ask[1] == ask[2]) {
            misfits.push(Misfit::MemoryMax { ask_mb: ask[2], free_mb: free[2] });
        }
        if is_short(3) {
            misfits.push(Misfit::Disk { ask_mb: ask[3], free_mb: free[3] });
        }
        if let Some(max) = node.max_allocations.filter(|_| !self.has_place(turn, node, &here, &after)) {
            misfits.push(Misfit::Allocations { max });
        }
        misfits.extend(give(node, turn.group, &here, &after).err().unwrap_or_default());
        misfits.extend(short_of_ports(node, turn.group, &here, &after));
        misfits.extend(contended(turn.group, &here, &after));
        misfits.extend(self.claimed_elsewhere(turn, node));
        misfits
    }
}

/// The last eight bytes of an id.
fn tail(id: &[u8; 16]) -> u64 {
    u64::from_le_bytes(id[8..].try_into().expect("an id has 16 bytes"))
}

/// The finisher of SplitMix64.
fn scattered(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// The only node that is thought of: a system job's instance has one, and what a rebalance moves.
fn bound(state: &State, turn: &Turn<'_>) -> Option<NodeId> {
    turn.want.node.or_else(|| promised(state, turn))
}

/// Where a rebalance promised a place to what moves, unless its node is what drives it away, or it is over by itself.
fn promised(state: &State, turn: &Turn<'_>) -> Option<NodeId> {
    let moves = state.rebalance()?.moves.iter().filter(|known| known.stage == Stage::Moving);
    let known = state.allocation(turn.want.previous?)?;
    let is_driven = known.client_status == ClientStatus::Unknown || state.node(known.node)?.drain.is_some();
    moves.filter(|_| known.is_live() && !is_driven).find(|one| one.allocation == known.id).map(|one| one.to)
}
