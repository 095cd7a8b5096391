//! The container runtime as a seam: what the agent asks of whatever runs its tasks.
//!
//! A driver acts on containers of its own node only (design 12). It decides nothing: each call does one thing and says
//! what was seen. Two are real: [`docker`] runs containers, [`fake`] plays what a jobspec says.

pub mod docker;
pub mod fake;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use client_agent_core::{Found, Probed};
use model::{AllocationId, AssignedPort, Dns, JobKey, Logs, TaskResources};
use serde_json::Value;
use thiserror::Error;
use tokio::sync::mpsc;

use crate::probe::Probe;

/// A task, ready to be started: every `${…}` in it is replaced.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskSpec {
    /// The allocation.
    pub allocation: AllocationId,
    /// The task's name; [`client_agent_core::NETWORK_TASK`] for the holder of a shared network.
    pub task: String,
    /// Whether it holds the network namespace that the group's tasks join.
    pub holds_network: bool,
    /// The job.
    pub job: JobKey,
    /// The job's name for people.
    pub job_name: String,
    /// The version of the job.
    pub job_version: u64,
    /// The group.
    pub group: String,
    /// Generation of the assignment.
    pub generation: u64,
    /// Restarts before this start.
    pub restarts: u32,
    /// The driver's own settings.
    pub config: BTreeMap<String, Value>,
    /// The environment.
    pub env: BTreeMap<String, String>,
    /// What it may use.
    pub resources: TaskResources,
    /// Its CPU in MHz.
    pub cpu_mhz: u64,
    /// The cores that it has alone; empty for a share of all.
    pub cores: BTreeSet<u16>,
    /// The NUMA nodes whose memory it may use; empty for any.
    pub memory_nodes: BTreeSet<u16>,
    /// Paths of the devices that it has.
    pub devices: Vec<String>,
    /// Folders of the host that it sees.
    pub mounts: Vec<VolumeMounted>,
    /// The user to run as; the image's when empty.
    pub user: String,
    /// How its output is kept.
    pub logs: Logs,
    /// The group's ports, each with the address on which it is published.
    pub ports: Vec<AssignedPort>,
    /// Where its network is.
    pub network: TaskNetwork,
    /// The host name inside; the container's when empty.
    pub hostname: String,
    /// Resolver settings.
    pub dns: Option<Dns>,
}

/// A volume that a task sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VolumeMounted {
    /// The volume's name in the group.
    pub volume: String,
    /// Its folder on the host; none where the node does not have it.
    pub source: Option<String>,
    /// Where the task sees it.
    pub destination: String,
    /// Whether the task can't write to it.
    pub read_only: bool,
    /// How mounts inside it are seen: `private`, `host-to-task` or `bidirectional`.
    pub propagation: String,
}

/// Where a task has its network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TaskNetwork {
    /// One of its own.
    Own,
    /// That of the container with this handle.
    Shared(String),
    /// The engine's network of that name.
    Joined(String),
    /// None.
    Isolated,
}

/// A task that was started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Started {
    /// The runtime's name for it.
    pub handle: String,
    /// When, as the runtime says.
    pub started_at: model::Timestamp,
    /// Its address in the runtime's network, if it has one.
    pub address: Option<String>,
}

/// A container of this node that a driver found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Container {
    /// The allocation that its label names.
    pub allocation: AllocationId,
    /// The task that its label names.
    pub task: String,
    /// The runtime's name for it.
    pub handle: String,
    /// Restarts before it was started.
    pub restarts: u32,
    /// How it is.
    pub found: Found,
    /// Its address in the runtime's network, if it has one.
    pub address: Option<String>,
}

/// What a driver tells unasked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// A container changed.
    Changed(Container),
    /// Changes may have been missed: all must be listed.
    Missed,
}

/// What one container uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct TaskUsage {
    /// CPU time since its start, in nanoseconds.
    pub cpu_ns: u64,
    /// Memory that can't be reclaimed, in bytes.
    pub memory_bytes: u64,
}

/// Which part of a task's output is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogQuery {
    /// Standard error instead of standard output.
    pub stderr: bool,
    /// Go on while the task runs.
    pub follow: bool,
    /// The offset counts back from the end.
    pub from_end: bool,
    /// Bytes of the stream to skip, or to go back.
    pub offset: u64,
}

/// Why a driver could not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DriverError {
    /// The runtime does not answer: nothing is known.
    #[error("{0}")]
    Unreachable(String),
    /// The runtime refused, or it failed in a way that may pass.
    #[error("{0}")]
    Failed(String),
    /// The settings can't work.
    #[error("{0}")]
    Invalid(String),
    /// There is no such container.
    #[error("no such container: {0}")]
    NotFound(String),
}

/// Told on the way to a start: Nomad's word and a sentence.
pub type Progress = mpsc::UnboundedSender<(String, String)>;

/// What runs tasks.
#[async_trait]
pub trait Driver: Send + Sync + 'static {
    /// The name in jobspecs.
    fn name(&self) -> &'static str;

    /// Whether it works here, and its facts.
    async fn fingerprint(&self) -> model::Driver;

    /// Starts a task. Called again for a task whose container runs already (the answer to the first call was lost), it
    /// answers with that container; a container of the task that has ended is replaced.
    async fn start(&self, spec: &TaskSpec, progress: &Progress) -> Result<Started, DriverError>;

    /// Sends `signal` (the driver's default when empty), ends the task by force after `timeout`, and answers when it
    /// is observed gone.
    async fn stop(&self, handle: &str, signal: &str, timeout: Duration) -> Result<Found, DriverError>;

    /// All containers of this node.
    async fn list(&self) -> Result<Vec<Container>, DriverError>;

    /// Tells changes until it is dropped.
    async fn watch(&self, news: mpsc::Sender<News>);

    /// Sends a task's output to `out`; ends when all is sent or nobody listens.
    async fn logs(&self, handle: &str, query: LogQuery, out: mpsc::Sender<Bytes>) -> Result<(), DriverError>;

    /// What a task uses now.
    async fn usage(&self, handle: &str) -> Result<TaskUsage, DriverError>;

    /// Removes a container that has ended, and what was kept of it. One that is not there is no error.
    async fn remove(&self, handle: &str) -> Result<(), DriverError>;

    /// Probes a check of one of its tasks. The network is the node's, unless the driver has none.
    async fn probe(&self, handle: &str, probe: &Probe) -> Probed {
        let _ = handle;
        crate::probe::probe(probe).await
    }
}
