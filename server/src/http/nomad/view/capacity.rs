//! What room there is, and what would come of a change. Ours: Nomad has no such answers.

use std::collections::BTreeMap;

use model::{Index, JobKey, Unplaced};
use serde::Serialize;
use server_core::capacity::{Foreseen, Largest, Moved, Placed, Room, Share};

use super::metric::Metric;
use super::why::Ask;

/// What there is, per datacenter, pool and class.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::http) struct OverviewView<'a> {
    index: Index,
    shares: Vec<ShareView<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct ShareView<'a> {
    datacenter: &'a str,
    node_pool: &'a str,
    node_class: &'a str,
    nodes: u32,
    /// Nodes that take new work.
    open: u32,
    total: Ask,
    /// What allocations hold.
    held: Ask,
    /// What is free on nodes that take new work.
    free: Ask,
    /// The largest ask by memory that still fits on one node.
    largest_memory: Option<LargestView<'a>>,
    /// The largest by CPU.
    #[serde(rename = "LargestCPU")]
    largest_cpu: Option<LargestView<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct LargestView<'a> {
    node_name: &'a str,
    ask: Ask,
}

impl<'a> OverviewView<'a> {
    /// The shares at that index.
    pub(in crate::http) fn of(index: Index, shares: &'a [Share]) -> Self {
        Self { index, shares: shares.iter().map(ShareView::of).collect() }
    }
}

impl<'a> ShareView<'a> {
    fn of(share: &'a Share) -> Self {
        let largest = |largest: &'a Largest| LargestView { node_name: &largest.node_name, ask: Ask::of(largest.free) };
        Self {
            datacenter: &share.datacenter,
            node_pool: &share.pool,
            node_class: &share.class,
            nodes: share.nodes,
            open: share.open,
            total: Ask::of(share.total),
            held: Ask::of(share.held),
            free: Ask::of(share.free),
            largest_memory: share.largest_memory.as_ref().map(largest),
            largest_cpu: share.largest_cpu.as_ref().map(largest),
        }
    }
}

/// What would come of a change.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::http) struct ForeseenView<'a> {
    index: Index,
    nodes_added: &'a [String],
    moved: Vec<MovedView<'a>>,
    job: Vec<PlacedView<'a>>,
    preempted: Vec<PreemptedView<'a>>,
    ask: Option<PlacedView<'a>>,
    room: Option<RoomView<'a>>,
    /// Whether something was left undecided, because it took too many plans.
    is_cut_short: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct MovedView<'a> {
    #[serde(rename = "JobID")]
    job_id: &'a str,
    namespace: &'a str,
    group: &'a str,
    /// Instances that ran on nodes that would be gone.
    displaced: u32,
    unplaced_before: u32,
    unplaced: u32,
    why: Option<Metric<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct PlacedView<'a> {
    group: &'a str,
    wanted: u32,
    placed: u32,
    /// Instances per node, by the nodes' names.
    nodes: &'a BTreeMap<String, u32>,
    why: Option<Metric<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct PreemptedView<'a> {
    #[serde(rename = "ID")]
    id: String,
    name: &'a str,
    node_name: &'a str,
    by: &'a str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct RoomView<'a> {
    instances: u32,
    /// Whether more may fit than are foreseen.
    is_limit: bool,
    nodes: &'a BTreeMap<String, u32>,
    ends_first: Option<&'a str>,
    /// What one more would lack.
    why: Option<Metric<'a>>,
}

impl<'a> ForeseenView<'a> {
    /// What was foreseen, of the jobs that may be seen.
    pub(in crate::http) fn of(foreseen: &'a Foreseen, sees: impl Fn(&JobKey) -> bool) -> Self {
        let preempted = foreseen.preempted.iter().filter(|one| sees(&one.job));
        Self {
            index: foreseen.index,
            nodes_added: &foreseen.added,
            moved: foreseen.moved.iter().filter(|moved| sees(&moved.job)).map(MovedView::of).collect(),
            job: foreseen.job.iter().map(PlacedView::of).collect(),
            preempted: preempted
                .map(|one| PreemptedView {
                    id: one.allocation.to_string(),
                    name: &one.name,
                    node_name: &one.node_name,
                    by: &one.by,
                })
                .collect(),
            ask: foreseen.ask.as_ref().map(PlacedView::of),
            room: foreseen.room.as_ref().map(RoomView::of),
            is_cut_short: foreseen.is_cut_short,
        }
    }
}

fn why(unplaced: &Option<Unplaced>) -> Option<Metric<'_>> {
    unplaced.as_ref().map(Metric::of)
}

impl<'a> MovedView<'a> {
    fn of(moved: &'a Moved) -> Self {
        Self {
            job_id: &moved.job.id,
            namespace: &moved.job.namespace,
            group: &moved.group,
            displaced: moved.displaced,
            unplaced_before: moved.unplaced_before,
            unplaced: moved.unplaced,
            why: why(&moved.why),
        }
    }
}

impl<'a> PlacedView<'a> {
    fn of(placed: &'a Placed) -> Self {
        Self {
            group: &placed.group,
            wanted: placed.wanted,
            placed: placed.placed,
            nodes: &placed.nodes,
            why: why(&placed.unplaced),
        }
    }
}

impl<'a> RoomView<'a> {
    fn of(room: &'a Room) -> Self {
        Self {
            instances: room.instances,
            is_limit: room.is_limit,
            nodes: &room.nodes,
            ends_first: room.ends_first(),
            why: why(&room.unplaced),
        }
    }
}
