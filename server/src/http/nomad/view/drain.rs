//! How far a drain is: our own view, followed by the CLI and the UI.

use model::{Index, Node};
use serde::Serialize;
use server_core::drain::{self, Progress, Stage};
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
        let allocations = drain::progress(state, node);
        let counted = allocations.iter().filter(|moving| moving.stage != Stage::Ignored);
        Self {
            node_id: node.id.to_string(),
            name: &node.name,
            status,
            deadline: node.drain.as_ref().and_then(|drain| drain.ends_at()).map(|at| at.nanoseconds()),
            total: counted.clone().count(),
            gone: counted.filter(|moving| moving.stage == Stage::Gone).count(),
            allocations: allocations.iter().filter_map(|progress| Moving::of(state, progress)).collect(),
        }
    }
}

impl Moving {
    fn of(state: &State, progress: &Progress) -> Option<Self> {
        let name = state.allocation(progress.allocation)?.name();
        let Progress { allocation, stage, detail } = progress;
        Some(Self { id: allocation.to_string(), name, state: stage.as_str(), detail: detail.clone() })
    }
}

/// Index at which anything of a node's drain last changed.
pub(in crate::http) fn index(state: &State, node: &Node) -> Index {
    let changes = state.allocations_of_node(node.id).flat_map(|allocation| {
        let next = allocation.ties().next.and_then(|next| state.allocation(next));
        [allocation.modify_index, next.map_or(0, |next| next.modify_index)]
    });
    changes.fold(node.modify_index, Index::max)
}
