//! A group: the tasks that run together on one node, and how many times.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Affinity, Constraint, Disconnect, Migrate, Network, Reschedule, Restart, Service, Spread, Task, Update};
use crate::Resources;

/// Tasks that are placed together; the unit of scheduling.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Group {
    /// Unique in the job.
    pub name: String,
    /// Instances wanted; ignored for system jobs.
    pub count: u32,
    /// Conditions on the node, beside the job's.
    pub constraints: Vec<Constraint>,
    /// Preferences, beside the job's.
    pub affinities: Vec<Affinity>,
    /// Spreads, beside the job's.
    pub spreads: Vec<Spread>,
    /// The network of the group; at most one.
    pub networks: Vec<Network>,
    /// Services that the group as a whole provides.
    pub services: Vec<Service>,
    /// The tasks.
    pub tasks: Vec<Task>,
    /// Restarts on the same node. None until admission fills it in by the job's type.
    #[serde(rename = "RestartPolicy")]
    pub restart: Option<Restart>,
    /// New placements after a failure. None until admission, and for system jobs.
    #[serde(rename = "ReschedulePolicy")]
    pub reschedule: Option<Reschedule>,
    /// How a new version rolls out. None for batch jobs.
    pub update: Option<Update>,
    /// The pace of a drain. None for jobs that are not services.
    pub migrate: Option<Migrate>,
    /// What happens while the node is out of contact.
    pub disconnect: Option<Disconnect>,
    /// Disk that every instance gets.
    pub ephemeral_disk: EphemeralDisk,
    /// Time between leaving the catalog and the stop signal.
    #[serde(with = "crate::nanoseconds")]
    pub shutdown_delay: Duration,
    /// Free key-value pairs, handed to tasks.
    pub meta: BTreeMap<String, String>,
    /// What this release reads, keeps and shows, but does not act on.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub kept: BTreeMap<String, serde_json::Value>,
}

impl Group {
    /// What one instance asks of a node: the sum over its tasks, and its disk.
    pub fn ask(&self) -> Resources {
        let mut ask = Resources { disk_mb: self.ephemeral_disk.size_mb, ..Resources::default() };
        for task in &self.tasks {
            ask += task.resources.ask();
        }
        ask
    }

    /// The services of the group and of its tasks, each with the task that owns it.
    pub fn all_services(&self) -> impl Iterator<Item = (Option<&Task>, &Service)> {
        let of_group = self.services.iter().map(|service| (None, service));
        of_group
            .chain(self.tasks.iter().flat_map(|task| task.services.iter().map(move |service| (Some(task), service))))
    }
}

impl Default for Group {
    fn default() -> Self {
        Self {
            name: String::new(),
            count: 1,
            constraints: Vec::new(),
            affinities: Vec::new(),
            spreads: Vec::new(),
            networks: Vec::new(),
            services: Vec::new(),
            tasks: Vec::new(),
            restart: None,
            reschedule: None,
            update: None,
            migrate: None,
            disconnect: None,
            ephemeral_disk: EphemeralDisk::default(),
            shutdown_delay: Duration::ZERO,
            meta: BTreeMap::new(),
            kept: BTreeMap::new(),
        }
    }
}

/// Disk of an instance, gone with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct EphemeralDisk {
    /// MiB, counted against the node.
    #[serde(rename = "SizeMB")]
    pub size_mb: u64,
}

impl Default for EphemeralDisk {
    fn default() -> Self {
        Self { size_mb: 300 }
    }
}
