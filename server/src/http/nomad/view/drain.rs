//! How far a drain is: our own view, followed by the CLI and the UI.

use model::{Allocation, Desired, Index, Node};
use serde::Serialize;
use server_core::state::State;

/// A node's drain, going on or last.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::http) struct DrainStatus<'a> {
    #[serde(rename = "NodeID")]
    node_id: String,
    name: &'a str,
    /// `draining`, `complete`, `canceled` or `none`.
    status: &'static str,
    /// Nanoseconds since 1970.
    deadline: Option<i64>,
    total: usize,
    gone: usize,
    allocations: Vec<Moving>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Moving {
    #[serde(rename = "ID")]
    id: String,
    name: String,
    state: &'static str,
    detail: String,
}

impl<'a> DrainStatus<'a> {
    /// The drain of a node.
    pub(in crate::http) fn of(state: &State, node: &'a Node) -> Self {
        let status = node.last_drain.as_ref().map_or("none", |last| last.outcome.as_str());
        // What ended before the drain began has nothing to do with it.
        let began = node.last_drain.as_ref().map(|last| last.started_at);
        let concerned = state
            .allocations_of_node(node.id)
            .filter(|allocation| began.is_some_and(|began| allocation.holds() || allocation.modified_at >= began));
        let allocations: Vec<Moving> = concerned.map(|allocation| moving(state, node, allocation)).collect();
        let counted = allocations.iter().filter(|moving| moving.state != IGNORED);
        Self {
            node_id: node.id.to_string(),
            name: &node.name,
            status,
            deadline: node.drain.as_ref().and_then(|drain| drain.ends_at()).map(|at| at.nanoseconds()),
            total: counted.clone().count(),
            gone: counted.filter(|moving| moving.state == GONE).count(),
            allocations,
        }
    }
}

const IGNORED: &str = "ignored";
const GONE: &str = "gone";

/// Index at which anything of a node's drain last changed.
pub(in crate::http) fn index(state: &State, node: &Node) -> Index {
    let changes = state.allocations_of_node(node.id).flat_map(|allocation| {
        let next = allocation.next.and_then(|next| state.allocation(next));
        [allocation.modify_index, next.map_or(0, |next| next.modify_index)]
    });
    changes.fold(node.modify_index, Index::max)
}

fn moving(state: &State, node: &Node, allocation: &Allocation) -> Moving {
    let version = state.job_version(&allocation.job, allocation.job_version);
    let is_system = version.is_some_and(|version| version.job.kind.is_per_node());
    let stays = is_system && node.drain.as_ref().is_some_and(|drain| drain.ignore_system_jobs);
    let (word, detail) = if !allocation.holds() {
        (GONE, replacement(state, allocation))
    } else if stays {
        (IGNORED, "a system job's, which stays".into())
    } else if allocation.desired != Desired::Run {
        ("stopping", replacement(state, allocation))
    } else if allocation.next.is_some() {
        ("migrating", replacement(state, allocation))
    } else {
        ("waiting", if allocation.migrate { "looks for a place".into() } else { "waits for its turn".into() })
    };
    Moving { id: allocation.id.to_string(), name: allocation.name(), state: word, detail }
}

fn replacement(state: &State, allocation: &Allocation) -> String {
    let Some(next) = allocation.next.and_then(|next| state.allocation(next)) else { return String::new() };
    let health = match next.healthy {
        _ if next.client_status.is_terminal() => next.client_status.as_str(),
        Some(true) => "healthy",
        Some(false) => "unhealthy",
        None => next.client_status.as_str(),
    };
    format!("replacement {} {health} on {}", next.id.short(), next.node_name)
}
