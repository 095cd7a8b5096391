//! Finds a node for every wanted instance: the best of all that are feasible, never of a sample.
//!
//! Equal instances of a group are placed in one pass: all feasible nodes are scored once and stand in a heap, and after
//! each choice only the chosen node's score changes. Where a choice changes other nodes' scores (spreads, distinct
//! properties), or an instance is not like the others, all are scored anew.

mod choose;
mod explain;
mod moves;
mod order;
mod preempt;
mod prospect;
mod ranking;
mod room;
mod survey;

use std::collections::{BTreeMap, BTreeSet};

use model::{EvaluationId, NodeId, Unplaced};

use super::fleet::Fleet;
use super::reconcile::Want;
use crate::limits::PLAN_INSTANCES_MAX;
use crate::plan::{Placement, Stop, Tail};
use crate::state::State;
use choose::{Chooser, Chosen};

use explain::Unmet;
pub(crate) use explain::{Finding, sum};
pub(crate) use prospect::Prospect;
pub(crate) use survey::{Standings, Survey, Surveyor};

/// Where the wanted instances go.
#[derive(Default)]
pub(super) struct Placed {
    /// The plan's lines.
    pub placements: Vec<Placement>,
    /// What ends because something took its place.
    pub stops: Vec<Stop>,
    /// What found no room.
    pub unplaced: BTreeMap<String, Unplaced>,
    /// Instances of other groups that have room and do not go there, because all shall be placed at once.
    pub given_up: BTreeMap<String, u32>,
    /// Whether the plan is full and more must follow.
    pub cut_short: bool,
}

/// Finds nodes for `wants`; the plan ends `stops` whatever is found. `fleet` is in line with `state`.
pub(super) fn place(
    state: &State,
    fleet: &mut Fleet,
    evaluation: EvaluationId,
    stops: &[Stop],
    wants: &[Want],
) -> Placed {
    let mut placed = Placed::default();
    let mut unmet = Unmet::of(wants);
    let ordered = order::best_order(wants, fleet.mean_capacity());
    let wants = ordered.as_deref().unwrap_or(wants);
    let mut rest = wants;
    let mut lines = Lines::default();
    let mut ending: BTreeSet<_> = stops.iter().map(|stop| stop.allocation).collect();
    let mut earlier = Vec::new();
    let mut coming = BTreeSet::new();
    let mut victims = None;
    'groups: while let Some(first) = rest.first() {
        let end = rest.iter().position(|want| !want.is_alike(first)).unwrap_or(rest.len());
        let (of_group, others) = rest.split_at(end);
        rest = others;
        let Some(group) = first.version.job.group(&first.group) else { continue };
        let mut chooser = Chooser::new(state, fleet, evaluation, first, group, &ending, &earlier);
        chooser.go_on_from(victims.take(), &coming);
        let mut open: Vec<_> = of_group.iter().map(|want| (want, want.count)).collect();
        let has_unplaced = loop {
            let mut unplaced = Vec::new();
            let mut gave_back = false;
            for (want, count) in open {
                let left = PLAN_INSTANCES_MAX - lines.instances;
                let mut chosen = chooser.choose(want, count.min(left));
                let number = |chosen: &[Chosen]| chosen.iter().map(|chosen| chosen.count).sum::<u32>();
                let missing = count.min(left) - number(&chosen);
                chosen.extend(chooser.preempt(want, missing));
                let found = number(&chosen);
                if found > 0 {
                    gave_back |= want.previous.is_some();
                    placed.stops.extend(want.ends().cloned());
                }
                chosen.iter().for_each(|chosen| lines.add(want, chosen));
                if found == left && found < count {
                    placed.cut_short = true;
                    break 'groups;
                }
                if found < count {
                    unplaced.push((want, count - found));
                }
            }
            // Room comes back when something is gone; a place under a constraint on others, as soon as that is decided.
            if !gave_back || !chooser.feasibility.is_relative() {
                let has_unplaced = !unplaced.is_empty();
                for (want, count) in unplaced {
                    unmet.count(&chooser, want, count);
                }
                break has_unplaced;
            }
            open = unplaced;
        };
        victims = chooser.hand_on();
        // The room that some wait for was given to others: they are looked at again in the next plan.
        placed.cut_short |= chooser.lets_down || has_unplaced && chooser.ask.may_share_what_nobody_knows(chooser.fleet);
        let Chooser { moves, coming: new, .. } = chooser;
        earlier.extend(moves);
        coming.extend(new);
        ending.extend(placed.stops.iter().map(|stop| stop.allocation));
        lines.end_group();
    }
    placed.placements = lines.all;
    placed.unplaced = unmet.sums();
    give_up_partial_all_at_once(&mut placed, wants);
    placed
}

/// A job that wants everything or nothing gets nothing when something found no room.
fn give_up_partial_all_at_once(placed: &mut Placed, wants: &[Want]) {
    // A system job has its place on each node for itself.
    let is_one = |want: &Want| want.version.job.all_at_once && !want.version.job.kind.is_per_node();
    let all_at_once = wants.first().is_some_and(is_one);
    if !all_at_once || placed.unplaced.is_empty() {
        return;
    }
    for placement in std::mem::take(&mut placed.placements) {
        match placed.unplaced.get_mut(&placement.group) {
            Some(known) => known.count += placement.count,
            None => *placed.given_up.entry(placement.group).or_default() += placement.count,
        }
    }
    placed.stops.clear();
    placed.cut_short = false;
}

/// The plan's lines as they grow: equal instances on one node share a line.
#[derive(Default)]
struct Lines {
    all: Vec<Placement>,
    /// The lines of the group at work: by node, whether nothing more is to be said of the instances, and whether their names
    /// are said: those that `apply` picks come after all that are said, or it would pick one of these.
    of_group: BTreeMap<(NodeId, bool, bool), usize>,
    instances: u32,
}

impl Lines {
    fn add(&mut self, want: &Want, chosen: &Chosen) {
        let tail = Tail {
            index: want.index,
            previous: want.previous,
            after: chosen.after.clone(),
            preempts: chosen.preempts.clone(),
            canary: want.canary,
            reschedules: want.reschedules.clone(),
            cores: chosen.grant.cores.clone(),
            devices: chosen.grant.devices.clone(),
        };
        let is_plain = tail == Tail::default();
        let at = *self.of_group.entry((chosen.node.id, is_plain, want.index.is_some())).or_insert_with(|| {
            self.all.push(Placement {
                group: want.group.clone(),
                job_version: want.version.version,
                node: chosen.node.id,
                node_generation: chosen.node.generation,
                count: 0,
                tails: Vec::new(),
            });
            self.all.len() - 1
        });
        self.all[at].count += chosen.count;
        self.instances += chosen.count;
        if !is_plain {
            self.all[at].tails.extend(std::iter::repeat_n(tail, chosen.count as usize));
        }
    }

    /// The next lines are of another group or version.
    fn end_group(&mut self) {
        self.of_group.clear();
    }
}

#[cfg(test)]
mod tests;
