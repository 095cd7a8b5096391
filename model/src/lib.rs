//! The vocabulary of the cluster: what a job, a node, an allocation, an evaluation and a deployment are.
//!
//! Pure values, shared by every other crate; nothing here decides, waits, logs or does I/O.
//! [`Job`] and what it contains is the document that people send, so its serde names are those of Nomad's JSON.
//! Everything else is ours: each HTTP dialect has views of its own, so that a rename in one world never migrates another.

mod id;
mod nanoseconds;
mod null;
mod time;

mod job;

mod allocation;
mod assignment;
mod deployment;
mod evaluation;
mod explanation;
mod node;
mod resources;
mod service;
mod volume;

pub mod nearest;
pub mod old_bugs;
#[cfg(feature = "testing")]
pub mod testing;

pub use allocation::{
    Allocation, AssignedPort, CheckState, CheckStatus, ClientStatus, Cohort, Desired, Exit, RescheduleEvent,
    StopReason, TaskEvent, TaskPhase, TaskState, TaskStates, Ties,
};
pub use assignment::{Assignment, DocumentId, Observation, Usage};
pub use deployment::{Deployment, DeploymentGroup, DeploymentStatus};
pub use evaluation::{Evaluation, EvaluationStatus, Trigger};
pub use explanation::{Misfit, NearMiss, ReasonCount, Unplaced, WaitBegan};
pub use id::{
    AllocationId, ClusterId, DeploymentId, Derivation, EvaluationId, Index, JobKey, NodeId, ParseIdError, ServerId,
    Term, VolumeClaimId, VolumeId,
};
pub use job::*;
pub use node::{
    CoreGrant, Cores, DEFAULT_HOST_NETWORK, DeviceGrant, DeviceGroup, DeviceId, DeviceInstance, DeviceName,
    DrainOutcome, DrainStrategy, Driver, Eligibility, HostNetwork, HostVolume, LastDrain, Node, NodeEvent, NodeStatus,
    WHOLE_DEVICE, secrets_provider_attribute, usual_network_modes,
};
pub use resources::{Resources, fits};
pub use service::{Instance, InstanceState};
pub use time::Timestamp;
pub use volume::{
    AccessMode, AttachmentMode, DynamicVolume, FOLDER_PLUGIN, VolumeCapability, VolumeClaim, VolumeClaimKey,
    VolumeOffer, volume_plugin_attribute,
};

/// The namespace of a job that names none.
pub const DEFAULT_NAMESPACE: &str = "default";
/// The region of a job or agent that names none.
pub const DEFAULT_REGION: &str = "global";
/// The node pool of a job or node that names none.
pub const DEFAULT_NODE_POOL: &str = "default";
/// The pool name that stands for every pool.
pub const ALL_NODE_POOLS: &str = "all";
