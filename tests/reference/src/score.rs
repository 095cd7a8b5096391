//! How good a node is for an instance: the parts of the score, each from its description, all counted anew each time.

use std::collections::BTreeMap;

use model::{Algorithm, Allocation, AllocationId, Group, Job, JobType, Node, Spread};
use server_core::testing::Wanted;

use crate::condition::{holds, resolve};
use crate::demand::{is_eligible, is_open};
use crate::desk::{Desk, Piece, capacity, held, over};
use crate::equipment::Given;
use crate::packing::{Packing, left_of};

/// One, in the unit of scores.
const ONE: i64 = 1 << 20;

/// What is scored: a group of a version of the job, and the instance.
pub struct Candidate<'a> {
    /// The version.
    pub job: &'a Job,
    /// The group.
    pub group: &'a Group,
    /// The instance.
    pub want: &'a Wanted,
}

/// The score of `node` for the candidate, if it came as `new` and got `given`.
pub fn score(
    desk: &Desk<'_>,
    packing: &Packing,
    of: &Candidate<'_>,
    node: &Node,
    new: &Piece,
    given: Option<&Given>,
) -> i64 {
    let here = desk.on(node.id);
    let then: Vec<_> = here.iter().copied().chain([new]).collect();
    let packed = match desk.state.scheduler().0.algorithm_for(of.job) {
        Algorithm::Binpack => {
            let takes_device = given.is_some_and(|given| !given.devices.is_empty());
            -packing.cost(node, &here, &left_of(node, &here), &left_of(node, &then), takes_device)
        }
        Algorithm::Spread => emptiness(node, &then),
    };
    // What is granted says so in millionths.
    let liked = given.map_or(0, |given| given.liked.0 * 1_000_000 / given.liked.1.max(1));
    packed + anti_affinity(desk, of, node) + penalty(of, node) + affinity(of, node) + spreads(desk, of, node) + liked
}

/// The instances of the group that stay when the plan and `want` are carried out.
fn staying<'d>(
    desk: &'d Desk<'_>,
    of: &'d Candidate<'_>,
    leaving: Option<AllocationId>,
) -> impl Iterator<Item = &'d Allocation> {
    let is_replaced = |known: &Allocation| {
        known.ties().next.and_then(|id| desk.state.allocation(id)).is_some_and(|next| next.is_live())
    };
    let is_left = move |id: AllocationId| {
        desk.ending.contains(&id) || Some(id) == leaving || desk.placed.iter().any(|placed| placed.previous == Some(id))
    };
    let counts = move |known: &&Allocation| {
        known.job == desk.job
            && known.group == of.group.name
            && known.is_live()
            && !is_replaced(known)
            && !is_left(known.id)
    };
    desk.state.allocations().map(|known| &**known).filter(counts)
}

fn anti_affinity(desk: &Desk<'_>, of: &Candidate<'_>, node: &Node) -> i64 {
    if of.job.kind == JobType::Batch {
        return 0;
    }
    let stay = staying(desk, of, of.want.previous).filter(|known| known.node == node.id).count();
    let placed = desk.placed.iter().filter(|placed| placed.group == of.group.name && placed.node == node.id).count();
    match (stay + placed) as i64 {
        0 => 0,
        there => -ONE * (there + 1) / i64::from(of.group.count.max(1)),
    }
}

fn penalty(of: &Candidate<'_>, node: &Node) -> i64 {
    if of.want.reschedules.iter().any(|event| event.node == node.id) { -ONE } else { 0 }
}

fn affinity(of: &Candidate<'_>, node: &Node) -> i64 {
    let of_tasks = of.group.tasks.iter().flat_map(|task| &task.affinities);
    let all: Vec<_> = of.job.affinities.iter().chain(&of.group.affinities).chain(of_tasks).collect();
    let weights: i64 = all.iter().map(|affinity| i64::from(affinity.weight).abs()).sum();
    let met: i64 = all.iter().filter(|one| holds(&one.condition(), node)).map(|one| i64::from(one.weight)).sum();
    met * ONE / weights.max(1)
}

fn spreads(desk: &Desk<'_>, of: &Candidate<'_>, node: &Node) -> i64 {
    let all: Vec<_> = of.job.spreads.iter().chain(&of.group.spreads).collect();
    let weights = all.iter().map(|spread| i64::from(spread.weight)).sum::<i64>().max(1);
    let worth = |spread: &Spread| boost(desk, of, spread, node) * i64::from(spread.weight) / weights;
    all.into_iter().map(worth).sum()
}

fn boost(desk: &Desk<'_>, of: &Candidate<'_>, spread: &Spread, node: &Node) -> i64 {
    let Some(value) = resolve(&spread.attribute, node) else { return -ONE };
    // Values that could have an instance count from zero on, others as soon as they have one.
    let mut used: BTreeMap<String, i64> = BTreeMap::new();
    for node in desk.state.nodes().filter(|node| is_open(node) && is_eligible(node, of.job, of.group)) {
        used.extend(resolve(&spread.attribute, node).map(|value| (value, 0)));
    }
    let placed = desk.placed.iter().filter(|placed| placed.group == of.group.name).map(|placed| placed.node);
    for at in staying(desk, of, None).map(|known| known.node).chain(placed) {
        if let Some(value) = desk.state.node(at).and_then(|node| resolve(&spread.attribute, node)) {
            *used.entry(value).or_default() += 1;
        }
    }
    let current = used.get(&value).copied().unwrap_or(0);
    if !spread.targets.is_empty() {
        let named = spread.targets.iter().find(|target| target.value == value).map(|target| i64::from(target.percent));
        let rest = 100 - spread.targets.iter().map(|target| i64::from(target.percent)).sum::<i64>();
        let wanted = named.unwrap_or(rest) * i64::from(of.group.count.max(1));
        return if wanted <= 0 { -ONE } else { (ONE * (wanted - (current + 1) * 100) / wanted).max(-ONE) };
    }
    let (least, most) = (used.values().copied().min().unwrap_or(0), used.values().copied().max().unwrap_or(0));
    if least == 0 {
        return if current == 0 { ONE } else { -ONE * current.min(10) };
    }
    if least == most {
        return -ONE;
    }
    if current == least { ONE * (most - least) / least } else { ONE * (least - current) / least }
}

/// 10 to the power of each free share of CPU and memory, from 0 to one.
fn emptiness(node: &Node, then: &[&Piece]) -> i64 {
    let (has, held) = (capacity(node), held(then));
    let power = |at: usize| {
        let steps = over(has[at].saturating_sub(held[at]) * 1024, has[at]);
        // 10^(1/1024), in units of 10^-15, as often as there are steps.
        let unit = 1_000_000_000_000_000u128;
        let power = (0..steps.min(1024)).fold(unit, |power, _| power * 1_002_251_148_292_913 / unit);
        (power / 1_000_000_000) as i64
    };
    (power(0) + power(1) - 2_000_000).clamp(0, 18_000_000) / 18 * ONE / 1_000_000
}
