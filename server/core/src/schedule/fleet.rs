//! The nodes as the scheduler looks at them: a row of numbers each, kept in line with the state from decision to
//! decision.
//!
//! It is a cache and nothing else: what is decided with it is what would be decided with a new one. Bringing it in line
//! costs as much as has changed, so that a cluster of many nodes is not read anew for each small job.

mod column;
mod eligible;
mod index;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::{Node, NodeId, Port, Resources, WHOLE_DEVICE};

use super::feasible::Demand;
use super::grant::{Placed, Shares, Taken};
use super::score::{Packing, Totals};
use crate::cow::CowMap;
use crate::state::{NodeUse, Occupancy, Picture, State};
use column::Columns;
use eligible::{Demands, Log};

pub(super) use column::Column;
pub(super) use index::{Judge, Left};

/// Place of a node among the rows of a [`Fleet`].
pub(super) type Place = u32;

/// All nodes, as far as placement looks at them.
#[derive(Default)]
pub(super) struct Fleet {
    /// What the rows were last brought in line with.
    nodes: CowMap<NodeId, Arc<Node>>,
    occupancies: CowMap<NodeId, Arc<Occupancy>>,
    rows: Vec<Row>,
    places: BTreeMap<NodeId, Place>,
    /// Rows of nodes that are gone.
    vacant: Vec<Place>,
    /// Rows that were written to since: a plan that was made is not yet one that was committed.
    touched: Vec<Place>,
    /// What the plan at work has placed beyond amounts.
    placed: BTreeMap<Place, Placed>,
    columns: Columns,
    demands: Demands,
    log: Log,
    totals: Totals,
    /// The picture that the packing was made of.
    picture: Arc<Picture>,
    packing: Packing,
}

/// One node.
pub(super) struct Row {
    /// As it is in the state.
    pub node: Arc<Node>,
    /// What may be held in all.
    pub capacity: Resources,
    /// What is held, and what the plan at work has placed so far.
    pub used: Resources,
    /// Ports of the node's default network that are free for dynamic ones.
    pub dynamic_ports: u32,
    /// How many more allocations it may hold.
    pub allocations: u32,
    /// What is free of each of its devices.
    pub shares: Shares,
    /// What is free of all of them.
    pub devices: Devices,
    /// Breaks ties, together with the evaluation's.
    pub hash: u64,
    /// Whether it is there and takes new work.
    pub is_open: bool,
    /// Whether it is there.
    pub exists: bool,
}

/// Devices of a node, and what is free of them in thousandths of one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Devices {
    /// How many there are.
    pub instances: u32,
    /// What is free in all.
    pub free: u64,
    /// What of that is free of devices of which a part is taken.
    pub begun: u64,
}

impl Devices {
    /// Takes `share` of a device of which `free` was free.
    pub fn take(&mut self, free: u32, share: u32) {
        let (free, share) = (u64::from(free), u64::from(share.min(free)));
        let was_begun = if free < u64::from(WHOLE_DEVICE) { free } else { 0 };
        self.free = self.free.saturating_sub(share);
        self.begun = (self.begun + free - share).saturating_sub(was_begun);
    }
}

impl Fleet {
    /// The nodes of `state`.
    pub fn of(state: &State) -> Self {
        let mut fleet = Self::default();
        fleet.follow(state);
        fleet
    }

    /// Brings the rows in line with `state`, whatever was placed on them meanwhile.
    pub fn follow(&mut self, state: &State) {
        let mut changed = BTreeSet::new();
        self.nodes.differences(&state.nodes, Arc::ptr_eq, |id| changed.extend([*id]));
        for id in &changed {
            self.describe(state, *id);
        }
        let nodes_changed = !changed.is_empty();
        self.occupancies.differences(&state.occupancies, Arc::ptr_eq, |id| changed.extend([*id]));
        changed.extend(self.touched.drain(..).map(|place| self.rows[place as usize].node.id));
        for id in changed {
            if let Some(place) = self.places.get(&id) {
                self.rows[*place as usize].count(state.held_on(id));
                self.log.add(*place);
            }
        }
        self.log.trim(self.rows.len());
        self.follow_mix(state, nodes_changed);
        self.placed.clear();
        self.nodes = state.nodes.clone();
        self.occupancies = state.occupancies.clone();
    }

    /// Makes the packing anew where it would come out differently.
    fn follow_mix(&mut self, state: &State, nodes_changed: bool) {
        let mut totals = self.totals;
        if nodes_changed {
            totals = Totals::default();
            self.rows.iter().filter(|row| row.exists).for_each(|row| totals.add(row));
        }
        if totals != self.totals || !Arc::ptr_eq(&self.picture, state.picture()) {
            self.totals = totals;
            self.picture = state.picture().clone();
            self.packing = Packing::of(&totals, &self.picture);
        }
    }

    /// What a node has as a rule.
    pub fn mean_capacity(&self) -> Resources {
        let Totals { all, nodes, .. } = &self.totals;
        let mean = |of: usize| all[of].checked_div(nodes[of]).unwrap_or(0);
        Resources { cpu_mhz: mean(0), memory_mb: mean(1), disk_mb: mean(2), ..Resources::default() }
    }

    /// How to pack.
    pub fn packing(&self) -> &Packing {
        &self.packing
    }

    /// Takes over what a node is, or that it is gone.
    fn describe(&mut self, state: &State, id: NodeId) {
        let place = match (self.places.get(&id), state.nodes.get(&id)) {
            (None, None) => return,
            (Some(place), None) => {
                let place = *place;
                self.places.remove(&id);
                self.vacant.push(place);
                let row = &mut self.rows[place as usize];
                (row.exists, row.is_open) = (false, false);
                place
            }
            (Some(place), Some(node)) => {
                let place = *place;
                self.rows[place as usize] = Row::of(node);
                place
            }
            (None, Some(node)) => {
                let place = self.vacant.pop().unwrap_or_else(|| Place::try_from(self.rows.len()).expect("few nodes"));
                let row = Row::of(node);
                if place as usize == self.rows.len() {
                    self.rows.push(row);
                } else {
                    self.rows[place as usize] = row;
                }
                self.places.insert(id, place);
                place
            }
        };
        self.log.add(place);
        self.columns.update(&self.rows, place);
        self.demands.update(&self.rows, place);
    }

    /// The row at that place.
    pub fn row(&self, at: Place) -> &Row {
        &self.rows[at as usize]
    }

    /// The place of a node, if it is there.
    pub fn place_of(&self, id: NodeId) -> Option<Place> {
        self.places.get(&id).copied()
    }

    /// The places of all nodes, by node id.
    pub fn places(&self) -> impl Iterator<Item = Place> {
        self.places.values().copied()
    }

    /// How many rows there are, some of them perhaps of nodes that are gone.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// The places of the nodes that meet `demand`, open or not, in order.
    pub fn eligible(&mut self, demand: &Demand) -> Arc<Vec<Place>> {
        self.demands.places(&mut self.columns, &self.rows, demand)
    }

    /// Whether few instances of `demand` are better searched for by [`Fleet::search`] than by looking at all nodes.
    pub fn is_searchable(&mut self, demand: &Demand) -> bool {
        self.demands.is_worth_an_index(demand)
    }

    /// Takes in what changed since the last search, before the next.
    pub fn prepare_search(&mut self, demand: &Demand) {
        self.demands.refresh_index(&self.rows, &self.log, demand);
    }

    /// The best place for an instance of `demand`, for which all is prepared: what looking at all nodes would find. Of nodes
    /// that are worth the same the one comes first whose hash is next below `seed`.
    pub fn search(&self, demand: &Demand, ask: Resources, seed: u64, judge: &impl Judge) -> Option<Place> {
        self.demands.index(demand)?.best(ask, seed, judge)
    }

    /// What `target` is on each node.
    pub fn column(&mut self, target: &str) -> &Column {
        self.columns.of(&self.rows, target)
    }

    /// What the plan at work has placed there beyond amounts.
    pub fn placed(&self, at: Place) -> &Placed {
        static NOTHING: Placed = Placed::NOTHING;
        self.placed.get(&at).unwrap_or(&NOTHING)
    }

    /// What the plan at work has placed there beyond amounts, to be added to; and the row.
    pub fn placed_mut(&mut self, at: Place) -> (&mut Placed, &mut Row) {
        (self.placed.entry(at).or_default(), &mut self.rows[at as usize])
    }

    /// Whether one of the dynamic ports that the plan at work has placed may turn out to be that one.
    pub fn may_be_picked(&self, port: &Port) -> bool {
        self.placed.iter().any(|(at, placed)| placed.may_pick(&self.row(*at).node, port))
    }

    /// Places an instance there until the rows are next brought in line with a state. `is_one_more` where it takes nobody's
    /// place.
    pub fn put(&mut self, at: Place, added: Resources, is_one_more: bool) {
        let row = &mut self.rows[at as usize];
        row.used += added;
        row.allocations = row.allocations.saturating_sub(u32::from(is_one_more));
        self.touched.push(at);
        self.log.add(at);
    }
}

impl Row {
    fn of(node: &Arc<Node>) -> Self {
        let hash = u64::from_le_bytes(node.id.as_bytes()[8..].try_into().expect("an id has 16 bytes"));
        Self {
            node: node.clone(),
            capacity: node.capacity(),
            used: Resources::default(),
            dynamic_ports: 0,
            allocations: 0,
            shares: Shares::default(),
            devices: Devices::default(),
            // Ids are hashes, but some come from agents that were configured by hand.
            hash: mix(hash),
            is_open: node.is_schedulable(),
            exists: true,
        }
    }

    /// Takes over what is held.
    fn count(&mut self, held: Option<&NodeUse>) {
        self.used = held.map(|held| held.held).unwrap_or_default();
        let allocations = held.map_or(self.node.max_allocations, |held| Some(held.free_allocations(&self.node)));
        self.allocations = allocations.unwrap_or(u32::MAX);
        self.count_beyond_amounts(&Taken { held, placed: &Placed::NOTHING, inherited: None, shares: None });
    }

    /// Counts ports and devices that are free where others have taken some.
    pub fn count_beyond_amounts(&mut self, taken: &Taken<'_>) {
        self.count_dynamic_ports(taken);
        self.shares = taken.free_shares(&self.node);
        self.devices = self.shares.sum();
    }

    /// Counts the ports that are free for dynamic ones where others have taken some.
    fn count_dynamic_ports(&mut self, taken: &Taken<'_>) {
        let free = taken.free_dynamic_ports(&self.node, self.node.default_address(), &BTreeSet::new());
        self.dynamic_ports = u32::try_from(free).unwrap_or(u32::MAX);
    }

    /// What is free.
    pub fn free(&self) -> Resources {
        self.capacity - self.used
    }
}

/// Scatters the bits of `number` (the finisher of SplitMix64).
fn mix(mut number: u64) -> u64 {
    number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}
