//! What running a job would change.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::api::Metric;

/// The answer to `plan`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Plan {
    pub job_modify_index: u64,
    pub diff: Diff,
    pub annotations: Annotations,
    #[serde(rename = "FailedTGAllocs")]
    pub failed_groups: BTreeMap<String, Metric>,
    pub placements: Vec<Placement>,
    pub preemptions: Vec<Preemption>,
    pub warnings: String,
}

impl Plan {
    /// Whether running the job would change anything that runs, or the job itself.
    pub fn changes(&self) -> bool {
        let acts = self.annotations.updates.values().any(Updates::acts);
        acts || !self.failed_groups.is_empty() || self.diff.kind.is_change()
    }
}

/// What would be done to each group.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Annotations {
    #[serde(rename = "DesiredTGUpdates")]
    pub updates: BTreeMap<String, Updates>,
}

/// What would be done to the instances of one group.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Updates {
    pub ignore: u64,
    pub place: u64,
    pub migrate: u64,
    pub stop: u64,
    pub in_place_update: u64,
    pub destructive_update: u64,
    pub canary: u64,
    pub preemptions: u64,
}

impl Updates {
    /// Counts with their names, in the order in which they are shown.
    pub fn named(&self) -> [(&'static str, u64); 8] {
        [
            ("create", self.place),
            ("canary", self.canary),
            ("in-place update", self.in_place_update),
            ("create/destroy update", self.destructive_update),
            ("migrate", self.migrate),
            ("stop", self.stop),
            ("preempt", self.preemptions),
            ("ignore", self.ignore),
        ]
    }

    fn acts(&self) -> bool {
        self.named().iter().any(|(name, count)| *name != "ignore" && *count > 0)
    }
}

/// Where an instance would go, if the server says so.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Placement {
    pub name: String,
    pub node_name: String,
}

/// An instance of another job that would end, and for whom.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Preemption {
    pub name: String,
    pub node_name: String,
    pub by: String,
}

/// Whether something is new, gone or different.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
pub enum Change {
    /// As before.
    #[default]
    None,
    /// New.
    Added,
    /// Gone.
    Deleted,
    /// Different.
    Edited,
}

impl Change {
    /// Whether it is not as before.
    pub fn is_change(self) -> bool {
        self != Change::None
    }
}

/// The difference between two versions of a job.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Diff {
    #[serde(rename = "Type")]
    pub kind: Change,
    #[serde(rename = "ID")]
    pub id: String,
    pub fields: Vec<FieldChange>,
    pub objects: Vec<ObjectChange>,
    pub task_groups: Vec<GroupChange>,
}

/// A field.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct FieldChange {
    #[serde(rename = "Type")]
    pub kind: Change,
    pub name: String,
    pub old: String,
    pub new: String,
    pub annotations: Vec<String>,
}

/// A block.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct ObjectChange {
    #[serde(rename = "Type")]
    pub kind: Change,
    pub name: String,
    pub fields: Vec<FieldChange>,
    pub objects: Vec<ObjectChange>,
}

/// A group.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct GroupChange {
    #[serde(rename = "Type")]
    pub kind: Change,
    pub name: String,
    pub fields: Vec<FieldChange>,
    pub objects: Vec<ObjectChange>,
    pub tasks: Vec<TaskChange>,
}

/// A task.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct TaskChange {
    #[serde(rename = "Type")]
    pub kind: Change,
    pub name: String,
    pub fields: Vec<FieldChange>,
    pub objects: Vec<ObjectChange>,
    pub annotations: Vec<String>,
}
