//! Finds a node for every wanted instance: the best of all that are feasible, never of a sample.
//!
//! Equal instances of a group are placed in one pass: all feasible nodes are scored once and stand in a heap, and after
//! each choice only the chosen node's score changes. Where a choice changes other nodes' scores (spreads, distinct
//! properties), or an instance is not like the others, all are scored anew.

mod choose;
mod explain;
mod survey;
mod view;

use std::collections::{BTreeMap, BTreeSet};

use model::{EvaluationId, NodeId, Unplaced};

use super::reconcile::Want;
use crate::limits::PLAN_INSTANCES_MAX;
use crate::plan::{Placement, Stop, Tail};
use crate::state::State;
use choose::{Chooser, Chosen, finding};
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
    let mut ending: BTreeSet<_> = stops.iter().map(|stop| stop.allocation).collect();
    let mut earlier = Vec::new();
    'groups: while let Some(first) = rest.first() {
        let is_same = |want: &Want| want.group == first.group && want.version.version == first.version.version;
        let end = rest.iter().position(|want| !is_same(want)).unwrap_or(rest.len());
        let (of_group, others) = rest.split_at(end);
        rest = others;
        let Some(group) = first.version.job.group(&first.group) else { continue };
        let mut chooser = Chooser::new(state, &mut view, evaluation, first, group, &ending, &earlier);
        let mut open: Vec<_> = of_group.iter().collect();
        loop {
            let mut unplaced = Vec::new();
            let mut gave_back = false;
            for want in open {
                if lines.instances >= PLAN_INSTANCES_MAX {
                    placed.cut_short = true;
                    break 'groups;
                }
                let Some(chosen) = chooser.choose(want) else {
                    unplaced.push(want);
                    continue;
                };
                gave_back |= want.previous.is_some();
                placed.stops.extend(want.succeeds.iter().chain(&want.also_ends).cloned());
                lines.add(want, &chosen);
            }
            // Room comes back when something is gone; a place under a constraint on others, as soon as that is decided.
            if !gave_back || !chooser.feasibility.is_relative() {
                unplaced.into_iter().for_each(|want| explain::count(&mut placed.unplaced, &chooser, want));
                break;
            }
            open = unplaced;
        }
        earlier.extend(chooser.moves);
        ending.extend(placed.stops.iter().map(|stop| stop.allocation));
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

/// The plan's lines as they grow: equal instances on one node share a line.
#[derive(Default)]
struct Lines {
    all: Vec<Placement>,
    /// By group, version, node, whether nothing needs saying, and whether names are said: those that `apply` picks come
    /// after all that are said, or it would pick one of these.
    places: BTreeMap<(String, u64, NodeId, bool, bool), usize>,
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
            cores: chosen.grant.cores.clone(),
            devices: chosen.grant.devices.clone(),
        };
        let is_plain = tail == Tail::default();
        let version = want.version.version;
        let at = *self
            .places
            .entry((want.group.clone(), version, chosen.node.id, is_plain, want.index.is_some()))
            .or_insert_with(|| {
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

#[cfg(test)]
mod tests;
