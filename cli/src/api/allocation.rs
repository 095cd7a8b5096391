//! Allocations and what their tasks went through.

use std::collections::BTreeMap;

use serde::Deserialize;

/// An allocation, full or as a row of a list.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Allocation {
    #[serde(rename = "ID")]
    pub id: String,
    #[serde(rename = "EvalID")]
    pub eval_id: String,
    pub name: String,
    pub namespace: String,
    #[serde(rename = "NodeID")]
    pub node_id: String,
    pub node_name: String,
    #[serde(rename = "JobID")]
    pub job_id: String,
    /// Present in lists; a full allocation has it inside `Job`.
    pub job_version: u64,
    pub job: EmbeddedJob,
    pub task_group: String,
    pub desired_status: String,
    pub desired_description: String,
    pub client_status: String,
    pub client_description: String,
    pub task_states: BTreeMap<String, TaskState>,
    pub allocated_resources: AllocatedResources,
    #[serde(rename = "DeploymentID")]
    pub deployment_id: String,
    pub deployment_status: DeploymentHealth,
    pub previous_allocation: String,
    pub next_allocation: String,
    pub preempted_by_allocation: String,
    /// What ended to make room for it, in a full allocation.
    pub preempted_allocations: Vec<String>,
    pub create_time: i64,
    pub modify_time: i64,
}

impl Allocation {
    /// Whether its tasks have ended for good, or are taken for lost.
    pub fn is_over(&self) -> bool {
        matches!(self.client_status.as_str(), "complete" | "failed" | "lost")
    }

    /// Whether it is wanted and not over.
    pub fn is_live(&self) -> bool {
        self.desired_status == "run" && !self.is_over()
    }

    /// `job.group[index]` without the group where that says nothing new: `web[2]`.
    pub fn short_name(&self) -> String {
        let doubled = format!("{}.{}[", self.job_id, self.job_id);
        match self.name.strip_prefix(&doubled) {
            Some(rest) => format!("{}[{rest}", self.job_id),
            None => self.name.clone(),
        }
    }

    /// The number in the brackets of its name.
    pub fn index(&self) -> Option<u32> {
        self.name.rsplit_once('[')?.1.strip_suffix(']')?.parse().ok()
    }

    /// The version of the job that it runs.
    pub fn version(&self) -> u64 {
        self.job_version.max(self.job.version)
    }
}

/// The job inside a full allocation.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct EmbeddedJob {
    pub version: u64,
}

/// Whether it counts as healthy for its deployment.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct DeploymentHealth {
    pub healthy: Option<bool>,
    pub canary: bool,
}

/// What it holds on its node.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct AllocatedResources {
    pub tasks: BTreeMap<String, TaskResources>,
    pub shared: SharedResources,
}

/// What one task holds.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct TaskResources {
    pub cpu: Cpu,
    pub memory: Memory,
}

/// MHz.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Cpu {
    pub cpu_shares: i64,
}

/// MiB.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Memory {
    #[serde(rename = "MemoryMB")]
    pub memory_mb: i64,
    #[serde(rename = "MemoryMaxMB")]
    pub memory_max_mb: i64,
}

/// What the tasks hold together.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct SharedResources {
    #[serde(rename = "DiskMB")]
    pub disk_mb: i64,
    #[serde(rename = "Ports")]
    pub ports: Vec<Port>,
}

/// A port on the node.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Port {
    #[serde(rename = "Label")]
    pub label: String,
    #[serde(rename = "Value")]
    pub value: u32,
    #[serde(rename = "To")]
    pub to: i64,
    #[serde(rename = "HostIP")]
    pub host_ip: String,
}

/// A task as its agent last saw it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct TaskState {
    pub state: String,
    pub failed: bool,
    pub restarts: u64,
    pub last_restart: String,
    pub started_at: String,
    pub finished_at: String,
    pub events: Vec<TaskEvent>,
}

/// Something that happened to a task.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct TaskEvent {
    #[serde(rename = "Type")]
    pub kind: String,
    /// Nanoseconds since 1970.
    pub time: i64,
    pub message: String,
    pub display_message: String,
    pub details: BTreeMap<String, String>,
    pub exit_code: i64,
    pub signal: i64,
}

impl TaskEvent {
    /// What happened, in the agent's words.
    pub fn text(&self) -> &str {
        if self.display_message.is_empty() { &self.message } else { &self.display_message }
    }

    /// Whether the kernel killed the task because it used more memory than it may.
    pub fn is_oom(&self) -> bool {
        self.details.get("oom_killed").is_some_and(|value| value == "true")
    }
}

/// The last result of a check.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct CheckStatus {
    pub check: String,
    pub service: String,
    pub status: String,
    pub output: String,
}
