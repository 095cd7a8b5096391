//! What running a job would do.

use std::collections::BTreeMap;

use model::Index;
use serde::Serialize;
use server_core::dry_run::{DryRun, JobDiff, Preview};
use server_core::schedule::Counts;

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
}

#[derive(Debug, Serialize)]
struct Annotations<'a> {
    #[serde(rename = "DesiredTGUpdates")]
    updates: BTreeMap<&'a str, Updates>,
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
}

impl<'a> PlanView<'a> {
    /// A dry run, with the difference if it was asked for.
    pub(in crate::http) fn of(run: &'a DryRun, diff: Option<JobDiff>, warnings: &[String]) -> Self {
        let updates = run.counts.iter().map(|(group, counts)| (group.as_str(), Updates::of(*counts))).collect();
        Self {
            annotations: Annotations { updates },
            failed_groups: run.unplaced.iter().map(|(group, why)| (group.as_str(), Metric::of(why))).collect(),
            job_modify_index: run.job_modify_index,
            diff,
            warnings: warnings.join("\n"),
            placements: run.placements.iter().map(Placement::of).collect(),
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
        Self { name: &preview.name, task_group: &preview.group, node_name: &preview.node_name }
    }
}
