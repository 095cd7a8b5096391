//! The job document: what people send, what is logged once per version, and what comes back out.
//!
//! Its serde names are those of Nomad's JSON. A complete document has every default filled in (`admit` in the server
//! sees to it); a document as it comes from a client may lack any field, which then has the default given here.

mod constraint;
mod group;
mod network;
mod policy;
mod service;
mod task;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use constraint::{Affinity, Constraint, Operator, Spread, SpreadTarget};
pub use group::{EphemeralDisk, Group};
pub use network::{Dns, Network, NetworkMode, Port};
pub use policy::{
    DelayFunction, Disconnect, HealthCheck, Migrate, Reconcile, Reschedule, Restart, RestartMode, Update,
};
pub use service::{Check, CheckKind, CheckRestart, OnUpdate, Service};
pub use task::{Lifecycle, LifecycleHook, Logs, Task, TaskResources};

use crate::{DEFAULT_NAMESPACE, DEFAULT_NODE_POOL, DEFAULT_REGION, JobKey};

/// A job: groups of tasks that are scheduled together, and the rules by which they are placed and kept running.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Job {
    /// Unique in its namespace.
    #[serde(rename = "ID")]
    pub id: String,
    /// Shown to people; equal to the id unless given.
    pub name: String,
    /// The region whose servers own the job.
    pub region: String,
    /// The namespace.
    pub namespace: String,
    /// How its instances are counted and what their end means.
    #[serde(rename = "Type")]
    pub kind: JobType,
    /// 1 to 100; orders evaluations.
    pub priority: u32,
    /// A plan for this job commits wholly or not at all.
    pub all_at_once: bool,
    /// Globs over datacenter names.
    pub datacenters: Vec<String>,
    /// The pool whose nodes may be used; `all` for every pool.
    pub node_pool: String,
    /// Conditions that every group's node must meet.
    pub constraints: Vec<Constraint>,
    /// Preferences for every group's node.
    pub affinities: Vec<Affinity>,
    /// How instances are spread over values of an attribute.
    pub spreads: Vec<Spread>,
    /// The groups.
    #[serde(rename = "TaskGroups")]
    pub groups: Vec<Group>,
    /// Default of the groups' `update`, merged into them on admission.
    pub update: Option<Update>,
    /// Default of the groups' `reschedule`, merged into them on admission.
    pub reschedule: Option<Reschedule>,
    /// Default of the groups' `migrate`, merged into them on admission.
    pub migrate: Option<Migrate>,
    /// Free key-value pairs, handed to tasks.
    pub meta: BTreeMap<String, String>,
    /// What the document says that this release reads, keeps and shows, but does not act on: block name to its JSON.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub kept: BTreeMap<String, serde_json::Value>,
}

impl Job {
    /// The key under which the job is stored.
    pub fn key(&self) -> JobKey {
        JobKey::new(&self.namespace, &self.id)
    }

    /// The group of that name.
    pub fn group(&self, name: &str) -> Option<&Group> {
        self.groups.iter().find(|group| group.name == name)
    }
}

impl Default for Job {
    fn default() -> Self {
        Self {
            id: String::new(),
            name: String::new(),
            region: DEFAULT_REGION.into(),
            namespace: DEFAULT_NAMESPACE.into(),
            kind: JobType::Service,
            priority: 50,
            all_at_once: false,
            datacenters: vec!["*".into()],
            node_pool: DEFAULT_NODE_POOL.into(),
            constraints: Vec::new(),
            affinities: Vec::new(),
            spreads: Vec::new(),
            groups: Vec::new(),
            update: None,
            reschedule: None,
            migrate: None,
            meta: BTreeMap::new(),
            kept: BTreeMap::new(),
        }
    }
}

/// How the instances of a job are counted, and what it means that one ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JobType {
    /// Runs until stopped; an instance that ends is restarted.
    #[default]
    Service,
    /// Runs to completion.
    Batch,
    /// One instance on each eligible node, kept running.
    System,
    /// One instance on each eligible node, run to completion.
    SysBatch,
}

impl JobType {
    /// The word used in jobspecs and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            JobType::Service => "service",
            JobType::Batch => "batch",
            JobType::System => "system",
            JobType::SysBatch => "sysbatch",
        }
    }

    /// Whether there is one instance per eligible node instead of a count.
    pub fn is_per_node(self) -> bool {
        matches!(self, JobType::System | JobType::SysBatch)
    }

    /// Whether an instance that ends with code 0 has done its work.
    pub fn runs_to_completion(self) -> bool {
        matches!(self, JobType::Batch | JobType::SysBatch)
    }
}
