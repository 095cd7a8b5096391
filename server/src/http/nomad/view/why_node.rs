//! One node looked at for one job, or alone. Ours: Nomad has no such answers.

use model::{Index, JobKey};
use serde::Serialize;
use server_core::why::{BlockedThere, Check, GroupOnNode, JobOnNode, NodeAlone};

use super::why::{Ask, ScoreView};

/// A node for a job.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::http) struct JobOnNodeView<'a> {
    #[serde(rename = "NodeID")]
    node_id: String,
    node_name: &'a str,
    #[serde(rename = "JobID")]
    job_id: &'a str,
    namespace: &'a str,
    job_version: u64,
    index: Index,
    groups: Vec<Group<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Group<'a> {
    group: &'a str,
    /// Names of the instances that are there.
    instances: &'a [String],
    fits: bool,
    checks: Vec<CheckView<'a>>,
    score: Option<ScoreView>,
    rank: Option<u32>,
    nodes_fit: u32,
    best: Option<BestView<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct CheckView<'a> {
    name: &'a str,
    ok: bool,
    wanted: &'a str,
    has: String,
    /// What is wrong, a sentence; empty where nothing is.
    reason: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct BestView<'a> {
    #[serde(rename = "NodeID")]
    node_id: String,
    node_name: &'a str,
    score: ScoreView,
}

impl<'a> JobOnNodeView<'a> {
    /// What was found; allocations are named of those jobs only that may be seen.
    pub(in crate::http) fn of(found: &'a JobOnNode, sees: impl Fn(&JobKey) -> bool) -> Self {
        Self {
            node_id: found.node.to_string(),
            node_name: &found.node_name,
            job_id: &found.job.id,
            namespace: &found.job.namespace,
            job_version: found.job_version,
            index: found.index,
            groups: found.groups.iter().map(|group| Group::of(group, &sees)).collect(),
        }
    }
}

impl<'a> Group<'a> {
    fn of(group: &'a GroupOnNode, sees: impl Fn(&JobKey) -> bool) -> Self {
        Self {
            group: &group.group,
            instances: &group.instances,
            fits: group.checks.iter().all(|check| check.misfit.is_none()),
            checks: group.checks.iter().map(|check| CheckView::of(check, &sees)).collect(),
            score: group.score.map(ScoreView::of),
            rank: group.rank,
            nodes_fit: group.nodes_fit,
            best: group.best.as_ref().map(|best| BestView {
                node_id: best.node.to_string(),
                node_name: &best.name,
                score: ScoreView::of(best.score),
            }),
        }
    }
}

impl<'a> CheckView<'a> {
    fn of(check: &'a Check, sees: impl Fn(&JobKey) -> bool) -> Self {
        let holder = check.holder.as_ref().filter(|holder| sees(&holder.job));
        let by = holder.map_or(String::new(), |holder| format!(" by {}", holder.name));
        Self {
            name: &check.name,
            ok: check.misfit.is_none(),
            wanted: &check.wanted,
            has: format!("{}{by}", check.has),
            reason: check.misfit.as_ref().map(ToString::to_string).unwrap_or_default(),
        }
    }
}

/// A node alone.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::http) struct NodeAloneView<'a> {
    #[serde(rename = "NodeID")]
    node_id: String,
    node_name: &'a str,
    index: Index,
    open: bool,
    /// What closes it to new work, a sentence each.
    closed: Vec<String>,
    capacity: Ask,
    held: Ask,
    free: Ask,
    allocations: Vec<Standing<'a>>,
    blocked: Vec<Blocked<'a>>,
    /// Groups that wait in all, the caller's and others'.
    blocked_total: u32,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Standing<'a> {
    #[serde(rename = "ID")]
    id: String,
    name: String,
    #[serde(rename = "JobID")]
    job_id: &'a str,
    namespace: &'a str,
    client_status: &'static str,
    holds: Ask,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Blocked<'a> {
    #[serde(rename = "JobID")]
    job_id: &'a str,
    namespace: &'a str,
    group: &'a str,
    unplaced: u32,
    fits: bool,
    reasons: Vec<String>,
}

impl<'a> NodeAloneView<'a> {
    /// What was found, of the jobs that may be seen.
    pub(in crate::http) fn of(found: &'a NodeAlone, sees: impl Fn(&JobKey) -> bool) -> Self {
        let allocations = found.allocations.iter().filter(|known| sees(&known.job));
        let blocked = found.blocked.iter().filter(|blocked| sees(&blocked.job));
        Self {
            node_id: found.node.id.to_string(),
            node_name: &found.node.name,
            index: found.index,
            open: found.closed.is_empty(),
            closed: found.closed.iter().map(ToString::to_string).collect(),
            capacity: Ask::of(found.capacity),
            held: Ask::of(found.held),
            free: Ask::of(found.free),
            allocations: allocations
                .map(|known| Standing {
                    id: known.id.to_string(),
                    name: known.name(),
                    job_id: &known.job.id,
                    namespace: &known.job.namespace,
                    client_status: known.client_status.as_str(),
                    holds: Ask::of(known.resources),
                })
                .collect(),
            blocked: blocked.map(Blocked::of).collect(),
            blocked_total: found.blocked_total,
        }
    }
}

impl<'a> Blocked<'a> {
    fn of(blocked: &'a BlockedThere) -> Self {
        Self {
            job_id: &blocked.job.id,
            namespace: &blocked.job.namespace,
            group: &blocked.group,
            unplaced: blocked.unplaced,
            fits: blocked.misfits.is_empty(),
            reasons: blocked.misfits.iter().map(ToString::to_string).collect(),
        }
    }
}
