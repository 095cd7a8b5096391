//! What running a job would do.

use std::collections::BTreeMap;

use model::{Index, JobKey};
use serde::Serialize;
use server_core::dry_run::{DryRun, JobDiff, Preempted, Preview};
use server_core::schedule::Counts;
use server_core::state::State;

use super::allocation::AllocationStub;
use super::metric::Metric;

/// The answer to `plan`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::http) struct PlanView<'a> {
    annotations: Annotations<'a>,
    #[serde(rename = "FailedTGAllocs")]
    failed_groups: BTreeMap<&'a str, Metric<'a>>,
    job_modify_index: Index,
    #[serde(skip_serializing_if = "Option::is_none")]
    diff: Option<JobDiff>,
    warnings: String,
    /// Ours: where the new instances would go.
    placements: Vec<Placement<'a>>,
    /// Ours: what would end to make room for them, and for whom.
    preemptions: Vec<Preemption<'a>>,
}

#[derive(Debug, Serialize)]
struct Annotations<'a> {
    #[serde(rename = "DesiredTGUpdates")]
    updates: BTreeMap<&'a str, Updates>,
    /// As they are now, before they end.
    #[serde(rename = "PreemptedAllocs")]
    preempted: Option<Vec<AllocationStub<'a>>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Updates {
    ignore: u32,
    place: u32,
    migrate: u32,
    stop: u32,
    in_place_update: u32,
    destructive_update: u32,
    canary: u32,
    preemptions: u32,
    reschedule_now: u32,
    reschedule_later: u32,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Placement<'a> {
    name: &'a str,
    task_group: &'a str,
    node_name: &'a str,
    #[serde(rename = "NodeID")]
    node_id: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Preemption<'a> {
    #[serde(rename = "AllocID")]
    alloc_id: String,
    name: &'a str,
    node_name: &'a str,
    /// The name of the new instance that takes its room.
    by: &'a str,
}

impl<'a> PlanView<'a> {
    /// A dry run on `state`, with the difference if it was asked for. Of other jobs those are named that may be seen.
    pub(in crate::http) fn of(
        state: &'a State,
        run: &'a DryRun,
        diff: Option<JobDiff>,
        warnings: &[String],
        sees: impl Fn(&JobKey) -> bool,
    ) -> Self {
        let seen: Vec<_> = run.preempted.iter().filter(|one| sees(&one.job)).collect();
        let stub = |one: &&Preempted| Some(AllocationStub::of(state, state.allocation(one.allocation)?, false, true));
        let preempted: Vec<_> = seen.iter().filter_map(stub).collect();
        let updates = run.counts.iter().map(|(group, counts)| (group.as_str(), Updates::of(*counts))).collect();
        Self {
            annotations: Annotations { updates, preempted: Some(preempted).filter(|all| !all.is_empty()) },
            failed_groups: run.unplaced.iter().map(|(group, why)| (group.as_str(), Metric::of(why))).collect(),
            job_modify_index: run.job_modify_index,
            diff,
            warnings: warnings.join("\n"),
            placements: run.placements.iter().map(Placement::of).collect(),
            preemptions: seen
                .into_iter()
                .map(|one| Preemption {
                    alloc_id: one.allocation.to_string(),
                    name: &one.name,
                    node_name: &one.node_name,
                    by: &one.by,
                })
                .collect(),
        }
    }
}

impl Updates {
    fn of(counts: Counts) -> Self {
        Self {
            ignore: counts.ignore,
            place: counts.place,
            migrate: counts.migrate,
            stop: counts.stop,
            in_place_update: counts.in_place,
            destructive_update: counts.destructive,
            canary: counts.canary,
            preemptions: counts.preempted,
            reschedule_now: counts.reschedule_now,
            reschedule_later: counts.reschedule_later,
        }
    }
}

impl<'a> Placement<'a> {
    fn of(preview: &'a Preview) -> Self {
        Self {
            name: &preview.name,
            task_group: &preview.group,
            node_name: &preview.node_name,
            node_id: preview.node.to_string(),
        }
    }
}
