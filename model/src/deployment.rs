//! A deployment: the rollout of one version of a service or system job, judged by the health of its instances.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{AllocationId, DeploymentId, Index, JobKey, Timestamp};

/// The rollout of one version of a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deployment {
    /// The id.
    pub id: DeploymentId,
    /// The job.
    pub job: JobKey,
    /// The version that is rolled out.
    pub job_version: u64,
    /// The job's create index, which tells a purged and re-registered job from its namesake.
    pub job_create_index: Index,
    /// Progress per group.
    pub groups: BTreeMap<String, DeploymentGroup>,
    /// Where it stands.
    pub status: DeploymentStatus,
    /// Why, in words.
    pub description: String,
    /// Index of its creation.
    pub create_index: Index,
    /// Index of its last change.
    pub modify_index: Index,
    /// When it began.
    pub created_at: Timestamp,
    /// When it last changed.
    pub modified_at: Timestamp,
}

impl Deployment {
    /// Whether a person must promote it before it goes on.
    pub fn requires_promotion(&self) -> bool {
        self.groups.values().any(|group| group.desired_canaries > 0 && !group.promoted)
    }
}

/// Progress of one group of a deployment.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DeploymentGroup {
    /// Whether failure goes back to the last stable version.
    pub auto_revert: bool,
    /// Whether healthy canaries promote themselves.
    pub auto_promote: bool,
    /// Time without progress after which it fails, in nanoseconds.
    pub progress_deadline_ns: u64,
    /// The point in time at which it fails unless there is progress before.
    pub require_progress_by: Option<Timestamp>,
    /// Whether its canaries were promoted.
    pub promoted: bool,
    /// Canaries placed.
    pub placed_canaries: Vec<AllocationId>,
    /// Canaries wanted.
    pub desired_canaries: u32,
    /// Instances wanted.
    pub desired_total: u32,
    /// Instances of the new version placed.
    pub placed: u32,
    /// Of these, healthy.
    pub healthy: u32,
    /// Of these, unhealthy.
    pub unhealthy: u32,
}

/// Where a deployment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub enum DeploymentStatus {
    /// It goes on.
    #[default]
    Running,
    /// A person stopped it for a while.
    Paused,
    /// Everything is healthy.
    Successful,
    /// Something stayed unhealthy.
    Failed,
    /// A newer version or a stop overtook it.
    Cancelled,
}

impl DeploymentStatus {
    /// Whether it still goes on or may.
    pub fn is_active(self) -> bool {
        match self {
            DeploymentStatus::Running | DeploymentStatus::Paused => true,
            DeploymentStatus::Successful | DeploymentStatus::Failed | DeploymentStatus::Cancelled => false,
        }
    }

    /// The word for people.
    pub fn as_str(self) -> &'static str {
        match self {
            DeploymentStatus::Running => "running",
            DeploymentStatus::Paused => "paused",
            DeploymentStatus::Successful => "successful",
            DeploymentStatus::Failed => "failed",
            DeploymentStatus::Cancelled => "cancelled",
        }
    }
}
