//! A task: one container or process of a group.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Affinity, Constraint, Restart, Service};
use crate::Resources;

/// One thing that runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Task {
    /// Unique in the group.
    pub name: String,
    /// What runs it: `docker`, `fake`.
    pub driver: String,
    /// The driver's own settings.
    pub config: BTreeMap<String, serde_json::Value>,
    /// The user to run as.
    pub user: String,
    /// When it runs in relation to the group's other tasks.
    pub lifecycle: Option<Lifecycle>,
    /// Whether the group's other tasks end with it.
    pub leader: bool,
    /// What it needs.
    pub resources: TaskResources,
    /// Conditions on the node.
    pub constraints: Vec<Constraint>,
    /// Preferences.
    pub affinities: Vec<Affinity>,
    /// Environment variables.
    pub env: BTreeMap<String, String>,
    /// Services that it provides.
    pub services: Vec<Service>,
    /// How its output is kept.
    #[serde(rename = "LogConfig")]
    pub logs: Logs,
    /// Time between the stop signal and the end by force.
    #[serde(with = "crate::nanoseconds")]
    pub kill_timeout: Duration,
    /// The stop signal; the driver's default (SIGTERM for Docker) when empty.
    pub kill_signal: String,
    /// Time between leaving the catalog and the stop signal, beside the group's.
    #[serde(with = "crate::nanoseconds")]
    pub shutdown_delay: Duration,
    /// Restarts, in place of the group's.
    #[serde(rename = "RestartPolicy")]
    pub restart: Option<Restart>,
    /// Free key-value pairs, handed to the task.
    pub meta: BTreeMap<String, String>,
    /// What this release reads, keeps and shows, but does not act on.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub kept: BTreeMap<String, serde_json::Value>,
}

impl Default for Task {
    fn default() -> Self {
        Self {
            name: String::new(),
            driver: String::new(),
            config: BTreeMap::new(),
            user: String::new(),
            lifecycle: None,
            leader: false,
            resources: TaskResources::default(),
            constraints: Vec::new(),
            affinities: Vec::new(),
            env: BTreeMap::new(),
            services: Vec::new(),
            logs: Logs::default(),
            kill_timeout: Duration::from_secs(5),
            kill_signal: String::new(),
            shutdown_delay: Duration::ZERO,
            restart: None,
            meta: BTreeMap::new(),
            kept: BTreeMap::new(),
        }
    }
}

/// What a task needs, in the units of jobspecs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TaskResources {
    /// CPU share in MHz.
    #[serde(rename = "CPU")]
    pub cpu: u64,
    /// Reserved memory in MiB.
    #[serde(rename = "MemoryMB")]
    pub memory: u64,
    /// The hard limit in MiB; 0 for the reservation.
    #[serde(rename = "MemoryMaxMB")]
    pub memory_max: u64,
}

impl TaskResources {
    /// What the task asks of a node.
    pub fn ask(&self) -> Resources {
        Resources {
            cpu_mhz: self.cpu,
            memory_mb: self.memory,
            memory_max_mb: self.memory.max(self.memory_max),
            disk_mb: 0,
        }
    }
}

impl Default for TaskResources {
    fn default() -> Self {
        Self { cpu: 100, memory: 300, memory_max: 0 }
    }
}

/// How a task's output is kept, per stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Logs {
    /// Files kept.
    #[serde(rename = "MaxFiles")]
    pub max_files: u32,
    /// Size at which a new file begins, in MiB.
    #[serde(rename = "MaxFileSizeMB")]
    pub max_file_size_mb: u32,
    /// Whether nothing is kept.
    #[serde(rename = "Disabled")]
    pub disabled: bool,
}

impl Default for Logs {
    fn default() -> Self {
        Self { max_files: 10, max_file_size_mb: 10, disabled: false }
    }
}

/// When a task runs in relation to the group's main tasks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Lifecycle {
    /// Before, after the start of, or after the end of the main tasks.
    pub hook: LifecycleHook,
    /// Whether it keeps running beside them.
    #[serde(default)]
    pub sidecar: bool,
}

/// The moment at which a task of a lifecycle starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LifecycleHook {
    /// Before the main tasks.
    Prestart,
    /// When the main tasks run.
    Poststart,
    /// When the main tasks have ended.
    Poststop,
}
