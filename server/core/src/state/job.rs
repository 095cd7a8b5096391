//! A job as it is stored: its versions, and whether it shall run.

use std::sync::Arc;

use model::{Deployment, Index, Job, JobKey, Timestamp};
use serde::{Deserialize, Serialize};

use crate::command::Submission;

/// A job with its versions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JobRecord {
    /// The key.
    pub key: JobKey,
    /// Newest first; never empty.
    pub versions: Vec<Arc<JobVersion>>,
    /// Whether it was stopped.
    pub stop: bool,
    /// When it was stopped; none while it shall run.
    #[serde(default)]
    pub stopped_at: Option<Timestamp>,
    /// Index of its first registration.
    pub create_index: Index,
    /// Index of its last change of any kind.
    pub modify_index: Index,
    /// Index of the last change of what a person wrote.
    pub job_modify_index: Index,
    /// How many plans have changed something of it.
    #[serde(default)]
    pub plans: u64,
}

/// One version of a job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JobVersion {
    /// The document.
    pub job: Arc<Job>,
    /// Counted from 0.
    pub version: u64,
    /// Whether a failed deployment may go back to it.
    pub stable: bool,
    /// When it was registered.
    pub submitted_at: Timestamp,
    /// What the person sent.
    pub submission: Option<Arc<Submission>>,
    /// Index of its registration.
    pub index: Index,
}

impl JobRecord {
    /// The version that is wanted.
    pub fn current(&self) -> &Arc<JobVersion> {
        self.versions.first().expect("a job has at least one version")
    }

    /// Whether `deployment` is the rollout of the current version. As the latest one it is the verdict on that version.
    pub fn is_rolled_out_by(&self, deployment: &Deployment) -> bool {
        deployment.job_version == self.current().version && deployment.job_create_index == self.create_index
    }

    /// The version of that number.
    pub fn version(&self, version: u64) -> Option<&Arc<JobVersion>> {
        self.versions.iter().find(|known| known.version == version)
    }

    /// The newest stable version older than `version`.
    pub fn stable_before(&self, version: u64) -> Option<&Arc<JobVersion>> {
        self.versions.iter().find(|known| known.version < version && known.stable)
    }
}

/// What became of a job, as people see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JobStatus {
    /// Nothing runs yet.
    Pending,
    /// Something runs.
    Running,
    /// It is over, or was stopped.
    Dead,
}

impl JobStatus {
    /// The word for people.
    pub fn as_str(self) -> &'static str {
        match self {
            JobStatus::Pending => "pending",
            JobStatus::Running => "running",
            JobStatus::Dead => "dead",
        }
    }
}
