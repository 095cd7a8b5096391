//! A task: one container or process of a group.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{
    Action, Affinity, Artifact, Constraint, Consul, CsiPlugin, Device, DispatchPayload, Identity, Network, Numa,
    Restart, Scaling, Schedule, Secret, Service, Template, Vault, VolumeMount,
};
use crate::Resources;

/// One thing that runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Task {
    /// Unique in the group.
    pub name: String,
    /// What runs it: `docker`, `fake`, or a driver that some node has.
    pub driver: String,
    /// The driver's own settings.
    #[serde(with = "crate::null")]
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
    #[serde(with = "crate::null")]
    pub constraints: Vec<Constraint>,
    /// Preferences.
    #[serde(with = "crate::null")]
    pub affinities: Vec<Affinity>,
    /// Environment variables.
    #[serde(with = "crate::null")]
    pub env: BTreeMap<String, String>,
    /// Services that it provides.
    #[serde(with = "crate::null")]
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
    /// Files made from data.
    #[serde(with = "crate::null")]
    pub templates: Vec<Template>,
    /// Files fetched before the start.
    #[serde(with = "crate::null")]
    pub artifacts: Vec<Artifact>,
    /// Where it sees volumes of the group.
    #[serde(with = "crate::null")]
    pub volume_mounts: Vec<VolumeMount>,
    /// Says that it is itself a storage plugin.
    #[serde(rename = "CSIPluginConfig")]
    pub csi_plugin: Option<CsiPlugin>,
    /// Where it finds the payload of its dispatch.
    pub dispatch_payload: Option<DispatchPayload>,
    /// A token of Vault.
    pub vault: Option<Vault>,
    /// Which Consul it uses.
    pub consul: Option<Consul>,
    /// How it gets the identity that every task has.
    pub identity: Option<Identity>,
    /// Its further identities.
    #[serde(with = "crate::null")]
    pub identities: Vec<Identity>,
    /// Secrets fetched for it.
    #[serde(with = "crate::null")]
    pub secrets: Vec<Secret>,
    /// Commands that people may run in it.
    #[serde(with = "crate::null")]
    pub actions: Vec<Action>,
    /// Bounds within which an autoscaler may change its resources.
    #[serde(with = "crate::null")]
    pub scaling_policies: Vec<Scaling>,
    /// The hours in which it runs.
    pub schedule: Option<Schedule>,
    /// What it is for the service mesh.
    pub kind: String,
    /// Free key-value pairs, handed to the task.
    #[serde(with = "crate::null")]
    pub meta: BTreeMap<String, String>,
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
            templates: Vec::new(),
            artifacts: Vec::new(),
            volume_mounts: Vec::new(),
            csi_plugin: None,
            dispatch_payload: None,
            vault: None,
            consul: None,
            identity: None,
            identities: Vec::new(),
            secrets: Vec::new(),
            actions: Vec::new(),
            scaling_policies: Vec::new(),
            schedule: None,
            kind: String::new(),
            meta: BTreeMap::new(),
        }
    }
}

/// What a task needs, in the units of jobspecs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TaskResources {
    /// CPU share in MHz; 0 where whole cores are asked for.
    #[serde(rename = "CPU")]
    pub cpu: u64,
    /// Reserved memory in MiB.
    #[serde(rename = "MemoryMB")]
    pub memory: u64,
    /// The hard limit in MiB; 0 for the reservation, -1 for none.
    #[serde(rename = "MemoryMaxMB")]
    pub memory_max: i64,
    /// Whole cores for the task alone, in place of `cpu`.
    #[serde(rename = "Cores")]
    pub cores: u32,
    /// Memory for secrets in MiB, beside `memory`.
    #[serde(rename = "SecretsMB")]
    pub secrets_mb: u64,
    /// Devices.
    #[serde(rename = "Devices", with = "crate::null")]
    pub devices: Vec<Device>,
    /// How near cores and devices must be to each other.
    #[serde(rename = "NUMA")]
    pub numa: Option<Numa>,
    /// Deprecated in favour of the group's network, and without meaning.
    #[serde(rename = "Networks", with = "crate::null")]
    pub networks: Vec<Network>,
    /// Deprecated in favour of `ephemeral_disk`, and without meaning.
    #[serde(rename = "DiskMB")]
    pub disk_mb: u64,
    /// Deprecated, and without meaning.
    #[serde(rename = "IOPS")]
    pub iops: u64,
}

impl TaskResources {
    /// Its CPU in MHz on a node whose cores count for `core_mhz` each: those that it has alone, or its share.
    pub fn cpu_mhz(&self, core_mhz: u64) -> u64 {
        if self.cores > 0 { u64::from(self.cores).saturating_mul(core_mhz) } else { self.cpu }
    }

    /// The hard limit of its memory in MiB. That there is none is not offered yet: then it is the reservation.
    pub fn limit_mb(&self) -> u64 {
        self.memory.max(u64::try_from(self.memory_max).unwrap_or_default())
    }

    /// What the task asks of a node whose cores count for `core_mhz` each.
    pub fn ask(&self, core_mhz: u64) -> Resources {
        Resources {
            cpu_mhz: self.cpu_mhz(core_mhz),
            memory_mb: self.memory,
            memory_max_mb: self.limit_mb(),
            disk_mb: 0,
        }
    }
}

impl Default for TaskResources {
    fn default() -> Self {
        Self {
            cpu: 100,
            memory: 300,
            memory_max: 0,
            cores: 0,
            secrets_mb: 0,
            devices: Vec::new(),
            numa: None,
            networks: Vec::new(),
            disk_mb: 0,
            iops: 0,
        }
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
