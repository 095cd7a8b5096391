//! Why a job does not run everywhere it should. Ours: Nomad has no such answer.

use std::collections::BTreeMap;

use model::{Index, JobKey, ReasonCount, Resources};
use serde::Serialize;
use server_core::schedule::{SCORE_ONE, Score};
use server_core::why::{Attempt, Change, GroupWhy, NodeWhy, Wait, Why};

/// The explanation of a job.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::http) struct WhyView<'a> {
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
    desired: u32,
    running: u32,
    unplaced: u32,
    blocked_eval: Option<String>,
    blocked_since: Option<i64>,
    /// What caused the evaluation that found no room first, `job-register`.
    blocked_cause: Option<&'static str>,
    blocked_tried_at: Option<i64>,
    /// Name of the node that had gained room before that.
    blocked_tried_after: Option<&'a str>,
    waits: Vec<WaitView<'a>>,
    ask: GroupAsk<'a>,
    nodes_total: u32,
    nodes_filtered: u32,
    nodes_exhausted: u32,
    nodes_fit: u32,
    reasons: Vec<Reason<'a>>,
    nodes: Vec<Node<'a>>,
    hints: Vec<String>,
}

/// What the group waits for, apart from room; fields that say nothing about its kind are left out.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
struct WaitView<'a> {
    /// `all-at-once`, `promotion`, `canaries`, `paused`, `rollout`, `ended`, `retry` or `given-up`.
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    groups: Option<&'a [String]>,
    #[serde(rename = "DeploymentID", skip_serializing_if = "Option::is_none")]
    deployment_id: Option<String>,
    #[serde(rename = "AllocID", skip_serializing_if = "Option::is_none")]
    alloc_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    /// Nanoseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    healthy: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    wanted: Option<u32>,
}

impl<'a> WaitView<'a> {
    fn of(wait: &'a Wait) -> Self {
        let counted = |kind, healthy: &u32, wanted: &u32| Self {
            kind,
            healthy: Some(*healthy),
            wanted: Some(*wanted),
            ..Self::default()
        };
        match wait {
            Wait::AllAtOnce { groups } => Self { kind: "all-at-once", groups: Some(groups), ..Self::default() },
            Wait::Promotion { deployment } => {
                Self { kind: "promotion", deployment_id: Some(deployment.to_string()), ..Self::default() }
            }
            Wait::Paused { deployment } => {
                Self { kind: "paused", deployment_id: Some(deployment.to_string()), ..Self::default() }
            }
            Wait::Canaries { healthy, wanted } => counted("canaries", healthy, wanted),
            Wait::Rollout { healthy, wanted } => counted("rollout", healthy, wanted),
            Wait::Ended { allocation, name, at } => {
                let (alloc_id, until) = (Some(allocation.to_string()), Some(at.nanoseconds()));
                Self { kind: "ended", alloc_id, name: Some(name), until, ..Self::default() }
            }
            Wait::Failed { allocation, name, next } => {
                let (kind, until) = match next {
                    Attempt::At(at) => ("retry", Some(at.nanoseconds())),
                    Attempt::Never => ("given-up", None),
                };
                Self { kind, alloc_id: Some(allocation.to_string()), name: Some(name), until, ..Self::default() }
            }
        }
    }
}

/// Amounts in MHz and MiB.
#[derive(Debug, Serialize)]
pub(super) struct Ask {
    #[serde(rename = "CPU")]
    cpu: u64,
    #[serde(rename = "MemoryMB")]
    memory_mb: u64,
    #[serde(rename = "MemoryMaxMB")]
    memory_max_mb: u64,
    #[serde(rename = "DiskMB")]
    disk_mb: u64,
}

/// What one instance of a group asks for.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct GroupAsk<'a> {
    #[serde(flatten)]
    amounts: Ask,
    cores: u32,
    /// How many of each, by the names that are written.
    devices: &'a BTreeMap<String, u64>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Reason<'a> {
    reason: &'a str,
    nodes: u32,
    filter: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Node<'a> {
    #[serde(rename = "ID")]
    id: String,
    name: &'a str,
    fits: bool,
    reasons: Vec<String>,
    score: Option<ScoreView>,
    rank: Option<u32>,
}

/// What a node is worth: larger is better, and the parts are added.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ScoreView {
    total: f64,
    parts: BTreeMap<&'static str, f64>,
}

impl ScoreView {
    pub(super) fn of(score: Score) -> Self {
        let shown = |part: i64| part as f64 / SCORE_ONE as f64;
        let parts = score.parts().into_iter().map(|(name, part)| (name, shown(part))).collect();
        Self { total: shown(score.total()), parts }
    }
}

impl Ask {
    pub(super) fn of(amounts: Resources) -> Self {
        Self {
            cpu: amounts.cpu_mhz,
            memory_mb: amounts.memory_mb,
            memory_max_mb: amounts.memory_max_mb,
            disk_mb: amounts.disk_mb,
        }
    }
}

impl<'a> WhyView<'a> {
    /// An explanation; hints name no job but those that may be seen.
    pub(in crate::http) fn of(why: &'a Why, sees: impl Fn(&JobKey) -> bool) -> Self {
        Self {
            job_id: &why.job.id,
            namespace: &why.job.namespace,
            job_version: why.job_version,
            index: why.index,
            groups: why.groups.iter().map(|group| Group::of(group, &sees)).collect(),
        }
    }
}

impl<'a> Group<'a> {
    fn of(group: &'a GroupWhy, sees: impl Fn(&JobKey) -> bool) -> Self {
        let blocked = group.blocked.as_ref();
        let is_seen = |change: &Change| !matches!(change, Change::StopJob(job) if !sees(job));
        let hints = group.hints.iter().filter(|hint| hint.changes.iter().all(is_seen));
        let reason =
            |(reason, count): (&'a String, &ReasonCount)| Reason { reason, nodes: count.nodes, filter: count.filter };
        Self {
            group: &group.group,
            desired: group.desired,
            running: group.running,
            unplaced: group.unplaced,
            blocked_eval: blocked.map(|blocked| blocked.evaluation.to_string()),
            blocked_since: blocked.map(|blocked| blocked.since.nanoseconds()),
            blocked_cause: blocked.map(|blocked| blocked.cause.as_str()),
            blocked_tried_at: blocked.and_then(|blocked| blocked.tried_at).map(|at| at.nanoseconds()),
            blocked_tried_after: blocked.and_then(|blocked| blocked.tried_after.as_deref()),
            waits: group.waits.iter().map(WaitView::of).collect(),
            ask: GroupAsk { amounts: Ask::of(group.ask), cores: group.cores, devices: &group.devices },
            nodes_total: group.nodes_total,
            nodes_filtered: group.nodes_filtered,
            nodes_exhausted: group.nodes_exhausted,
            nodes_fit: group.nodes_fit,
            reasons: group.reasons.iter().map(reason).collect(),
            nodes: group.nodes.iter().map(Node::of).collect(),
            hints: hints.map(|hint| hint.words(&sees)).collect(),
        }
    }
}

impl<'a> Node<'a> {
    fn of(node: &'a NodeWhy) -> Self {
        Self {
            id: node.id.to_string(),
            name: &node.name,
            fits: node.misfits.is_empty(),
            reasons: node.misfits.iter().map(ToString::to_string).collect(),
            score: node.score.map(ScoreView::of),
            rank: node.rank,
        }
    }
}
