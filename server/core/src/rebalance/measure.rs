//! How well balanced a cluster is, and what a move brings.

use std::collections::BTreeSet;

use model::{JobKey, JobType, Node, NodeId, NodeStatus};
use serde::{Deserialize, Serialize};

use super::record::Goal;
use crate::schedule::Prospect;
use crate::state::State;

/// How well balanced a cluster is. Smaller is better, save for the emptiest node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Measure {
    /// How uneven it is.
    pub skew: Skew,
    /// Nodes that hold something other than system jobs.
    pub nodes_used: u32,
    /// Load of the fullest node, in thousandths of what it has.
    pub fullest_permille: u32,
    /// Load of the emptiest node, in thousandths of what it has.
    pub emptiest_permille: u32,
    /// Instances on the node that shall be emptied, system jobs not counted; none for other goals.
    pub left: Option<u32>,
}

/// How uneven instances are placed. Compared top to bottom: the order of the fields is the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Skew {
    /// Instances that would have to move for every spread to be met, in hundredths.
    pub out_of_place: u64,
    /// Pairs of instances of a service's group that share a node.
    pub crowded: u64,
    /// Sum over the nodes of the squares of their loads of CPU and memory, in thousandths: the evener, the smaller.
    pub load: u64,
}

/// What a move brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Gain {
    /// Instances less that are out of place, in hundredths; negative where it costs some.
    pub out_of_place: i64,
    /// Pairs less that share a node.
    pub crowded: i64,
    /// Load of the node that it leaves, before and after, in thousandths.
    pub from_permille: [u32; 2],
    /// Load of the node that it goes to, before and after.
    pub to_permille: [u32; 2],
    /// Whether its set frees the node that it leaves.
    pub frees: bool,
}

impl Gain {
    /// What it brings that goal, in a few words. `from` is the name of the node that it leaves.
    pub fn words(&self, goal: Goal, from: &str) -> String {
        match goal {
            Goal::Empty(_) => return format!("leaves {from}"),
            Goal::Pack if self.frees => return format!("frees {from}"),
            Goal::Spread | Goal::Pack => {}
        }
        if self.out_of_place > 0 {
            return format!("{} less out of place", hundredths(self.out_of_place));
        }
        if self.crowded > 0 {
            return format!("{} less beside its own group", self.crowded);
        }
        let percent = |permille: u32| permille / 10;
        let ([from_before, from_after], [to_before, to_after]) = (self.from_permille, self.to_permille);
        let [from_before, from_after] = [percent(from_before), percent(from_after)];
        format!("evens {from_before}% and {}% to {from_after}% and {}%", percent(to_before), percent(to_after))
    }
}

fn hundredths(number: i64) -> String {
    if number % 100 == 0 { (number / 100).to_string() } else { format!("{}.{:02}", number / 100, number % 100) }
}

/// How well balanced `state` is.
pub(super) fn measure(prospect: &mut Prospect, state: &State, goal: Goal) -> Measure {
    let groups = state.jobs().filter(|record| !record.stop).flat_map(|record| {
        record.current().job.groups.iter().map(|group| (record.key.clone(), group.name.clone())).collect::<Vec<_>>()
    });
    let groups: BTreeSet<_> = groups.collect();
    let nodes: Vec<_> = state.nodes().filter(|node| node.status != NodeStatus::Down).collect();
    let loads = nodes.iter().filter(|node| node.is_schedulable()).map(|node| load_permille(state, node));
    let (least, most) = loads.fold((u32::MAX, 0), |(least, most), load| (load.min(least), load.max(most)));
    let left = match goal {
        Goal::Empty(node) => Some(holding(state, node) as u32),
        Goal::Spread | Goal::Pack => None,
    };
    Measure {
        skew: skew(prospect, state, groups.iter(), nodes.iter().map(|node| node.id)),
        nodes_used: nodes.iter().filter(|node| holding(state, node.id) > 0).count() as u32,
        fullest_permille: most,
        emptiest_permille: least.min(most),
        left,
    }
}

/// How uneven those groups and nodes are.
pub(super) fn skew<'a>(
    prospect: &mut Prospect,
    state: &State,
    groups: impl Iterator<Item = &'a (JobKey, String)>,
    nodes: impl Iterator<Item = NodeId>,
) -> Skew {
    let mut skew = Skew::default();
    for (job, group) in groups {
        let Some(record) = state.job(job) else { continue };
        let kind = record.current().job.kind;
        if kind.is_per_node() {
            continue;
        }
        skew.out_of_place += prospect.out_of_place(state, record.current(), group);
        if kind == JobType::Service {
            skew.crowded += crowded(state, job, group);
        }
    }
    for node in nodes.filter_map(|id| state.node(id)) {
        let loads = loads(state, node);
        skew.load += loads.iter().map(|load| load * load).sum::<u64>();
    }
    skew
}

/// Pairs of live instances of a group that share a node.
fn crowded(state: &State, job: &JobKey, group: &str) -> u64 {
    let live = state.allocations_of_job(job).filter(|known| known.is_live() && known.group == group);
    let mut nodes: Vec<_> = live.map(|known| known.node).collect();
    nodes.sort_unstable();
    let pairs = |n: usize| (n * n.saturating_sub(1) / 2) as u64;
    nodes.chunk_by(|one, other| one == other).map(|together| pairs(together.len())).sum()
}

/// What is held of a node's CPU and memory, in thousandths.
fn loads(state: &State, node: &Node) -> [u64; 2] {
    let (held, capacity) = (state.node_use(node.id).held, node.capacity());
    let part = |held: u64, of: u64| (held * 1000).checked_div(of).unwrap_or(0);
    [part(held.cpu_mhz, capacity.cpu_mhz), part(held.memory_mb, capacity.memory_mb)]
}

/// The larger of what is held of a node's CPU and memory, in thousandths.
pub(super) fn load_permille(state: &State, node: &Node) -> u32 {
    let [cpu, memory] = loads(state, node);
    u32::try_from(cpu.max(memory)).unwrap_or(u32::MAX)
}

/// How many allocations hold something of a node, system jobs not counted.
pub(super) fn holding(state: &State, node: NodeId) -> usize {
    let is_per_node = |known: &model::Allocation| {
        let version = state.job_version(&known.job, known.job_version);
        version.is_some_and(|version| version.job.kind.is_per_node())
    };
    state.allocations_of_node(node).filter(|known| known.holds() && !is_per_node(known)).count()
}
