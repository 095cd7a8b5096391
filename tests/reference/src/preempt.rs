//! Whose room an instance of a higher priority takes: every set of lower work on every node is tried.

use std::collections::BTreeMap;

use model::{AllocationId, Desired, JobKey, Node, StopReason};

use crate::choose::{Plan, Turn};
use crate::desk::{amounts, capacity, held};
use crate::equipment::{address, give, is_reserved, short_of_ports};
use crate::volumes::contended;

/// How much higher a priority must be.
const GAP: u32 = 10;
/// Sets of more are not all tried by the real one either.
pub const VICTIMS_MAX: usize = 10;

/// The highest priority among them, how many more are away than may be, and all their priorities.
type Cost = (u32, u32, u32);

/// What it costs on a node, how good that is, and who ends there.
type Found = (Cost, (i64, u64), std::sync::Arc<Node>, Vec<AllocationId>);

/// What a search for room found.
pub enum Search {
    /// There is none to be taken, or it comes anyway.
    Nothing,
    /// There, when those end.
    Room(std::sync::Arc<Node>, Vec<AllocationId>),
    /// So many may have to end that only a good choice is promised.
    TooMany,
}

struct Victim {
    id: AllocationId,
    priority: u32,
    group: (JobKey, String),
    max_parallel: u32,
}

/// Looks for the cheapest set among the `open` nodes.
pub fn search(plan: &Plan<'_>, turn: &Turn<'_>, open: &[std::sync::Arc<Node>]) -> Search {
    if open.iter().any(|node| comes_anyway(plan, turn, node)) {
        return Search::Nothing;
    }
    let mut best: Option<Found> = None;
    for node in open {
        let victims = victims(plan, turn, node);
        if victims.len() > VICTIMS_MAX {
            return Search::TooMany;
        }
        let sets = (0..1u32 << victims.len()).map(|mask| {
            let of_set = victims.iter().enumerate().filter(|(at, _)| mask & (1 << at) != 0);
            of_set.map(|(_, victim)| victim).collect::<Vec<_>>()
        });
        let enough = sets.filter(|set| is_enough(plan, turn, node, set));
        let Some((cost, set)) = enough.map(|set| (cost(plan, &set), set)).min_by_key(|(cost, _)| *cost) else {
            continue;
        };
        let ids = set.iter().map(|victim| victim.id).collect();
        let rank = plan.rank(turn, node, &[]);
        let is_better =
            |(known_cost, known_rank, ..): &Found| cost < *known_cost || (cost == *known_cost && rank > *known_rank);
        if best.as_ref().is_none_or(is_better) {
            best = Some((cost, rank, node.clone(), ids));
        }
    }
    best.map_or(Search::Nothing, |(_, _, node, ids)| Search::Room(node, ids))
}

/// Whether there is room on `node` as soon as everything is gone that was told to end.
fn comes_anyway(plan: &Plan<'_>, turn: &Turn<'_>, node: &Node) -> bool {
    let desk = &plan.desk;
    let stays = desk.staying_on(node.id);
    let ask = amounts(turn.group.ask_on(node));
    let (has, stay) = (capacity(node), held(&stays));
    let has_amounts = (0..4).all(|at| ask[at] <= has[at].saturating_sub(stay[at]));
    has_amounts
        && plan.has_place(turn, node, &stays, &[])
        && short_of_ports(node, turn.group, &stays, &[]).is_empty()
        && contended(turn.group, &stays, &[]).is_empty()
        && give(node, turn.group, &stays, &[]).is_ok()
}

/// The work on `node` that may have to make way: the lowest priorities first.
fn victims(plan: &Plan<'_>, turn: &Turn<'_>, node: &Node) -> Vec<Victim> {
    let desk = &plan.desk;
    let here = desk.on(node.id);
    let mut victims = Vec::new();
    for known in here.iter().filter_map(|piece| desk.state.allocation(piece.id)) {
        let is_succeeded = here.iter().any(|other| other.after.contains(&known.id));
        if known.desired != Desired::Run || desk.ending.contains(&known.id) || known.job == desk.job || is_succeeded {
            continue;
        }
        let Some(version) = desk.state.job_version(&known.job, known.job_version) else { continue };
        if version.job.priority + GAP > turn.job.priority {
            continue;
        }
        let migrate = version.job.group(&known.group).and_then(|group| group.migrate.clone());
        victims.push(Victim {
            id: known.id,
            priority: version.job.priority,
            group: (known.job.clone(), known.group.clone()),
            max_parallel: migrate.map_or(u32::MAX, |migrate| migrate.max_parallel),
        });
    }
    victims.sort_by_key(|victim| (victim.priority, victim.id));
    victims
}

fn is_enough(plan: &Plan<'_>, turn: &Turn<'_>, node: &Node, set: &[&Victim]) -> bool {
    let here = plan.desk.on(node.id);
    let gone: Vec<_> = set.iter().flat_map(|victim| plan.desk.waits_for(victim.id)).collect();
    // Who holds a static port must be among them; what they wait for themselves has no say in that.
    let holders_go = turn.group.networks.iter().flat_map(|network| &network.reserved_ports).all(|port| {
        let Some(address) = address(port, node).filter(|_| !port.ignore_collision) else { return true };
        let at = (address, port.value);
        let mut holders = here.iter().filter(|piece| piece.ports.contains(&at));
        !is_reserved(node, &at) && holders.all(|piece| set.iter().any(|victim| victim.id == piece.id))
    });
    holders_go
        && plan.has_amounts(turn, node, &gone)
        && plan.has_place(turn, node, &here, &gone)
        && short_of_ports(node, turn.group, &here, &gone).is_empty()
        && contended(turn.group, &here, &gone).is_empty()
        && give(node, turn.group, &here, &gone).is_ok()
}

fn cost(plan: &Plan<'_>, set: &[&Victim]) -> Cost {
    let mut away: BTreeMap<&(JobKey, String), (u32, u32)> = BTreeMap::new();
    for victim in set {
        away.entry(&victim.group).or_insert_with(|| (making_way(plan, &victim.group), victim.max_parallel)).0 += 1;
    }
    (
        set.iter().map(|victim| victim.priority).max().unwrap_or(0),
        away.values().map(|(away, most)| away.saturating_sub(*most)).sum(),
        set.iter().map(|victim| victim.priority.max(1)).sum(),
    )
}

/// Instances of a group that make way already, for this plan or an earlier one.
fn making_way(plan: &Plan<'_>, (job, group): &(JobKey, String)) -> u32 {
    let state = plan.desk.state;
    let of_group = state.allocations().filter(|known| known.job == *job && known.group == *group && known.holds());
    let makes_way = |known: &model::Allocation| {
        known.desired == Desired::Stop(StopReason::Preempted) || plan.preempted.contains(&known.id)
    };
    of_group.filter(|known| makes_way(known)).count() as u32
}
