//! The job document: what people send, what is logged once per version, and what comes back out.
//!
//! Its serde names are those of Nomad's JSON. A complete document has every default filled in (`admit` in the server
//! sees to it); a document as it comes from a client may lack any field, which then has the default given here.

mod group;
mod multiregion;
mod periodic;
mod ui;

mod constraint;
mod network;
mod policy;
mod scaling;
mod volume;

mod connect;
mod gateway;
mod service;

mod action;
mod artifact;
mod device;
mod identity;
mod secret;
mod task;
mod template;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use action::{Action, Schedule, ScheduleCron};
pub use artifact::Artifact;
pub use connect::{
    Connect, Expose, ExposePath, MeshGateway, SidecarProxy, SidecarService, SidecarTask, TransparentProxy, Upstream,
};
pub use constraint::{Affinity, Constraint, Operator, Spread, SpreadTarget};
pub use device::{Device, Numa};
pub use gateway::{
    BindAddress, Gateway, GatewayProxy, GatewayTls, HeaderChanges, Ingress, IngressListener, IngressService,
    IngressServiceTls, Mesh, Sds, Terminating, TerminatingService,
};
pub use group::{EphemeralDisk, Group};
pub use identity::{DEFAULT_IDENTITY, Identity};
pub use multiregion::{JobRegion, Multiregion, RegionStrategy};
pub use network::{Cni, Dns, Network, NetworkMode, Port};
pub use periodic::{DispatchPayload, Parameterized, Periodic};
pub use policy::{
    DelayFunction, Disconnect, HealthCheck, Migrate, Reconcile, Reschedule, Restart, RestartMode, Update,
};
pub use scaling::Scaling;
pub use secret::{Consul, Secret, Vault};
pub use service::{Check, CheckKind, CheckRestart, OnUpdate, Service, Weights};
pub use task::{Lifecycle, LifecycleHook, Logs, Task, TaskResources};
pub use template::{ChangeScript, Template, Wait};
pub use ui::{Link, Ui};
pub use volume::{CsiPlugin, MountOptions, Volume, VolumeMount};

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
    #[serde(with = "crate::null")]
    pub datacenters: Vec<String>,
    /// The pool whose nodes may be used; `all` for every pool.
    pub node_pool: String,
    /// How its nodes are chosen, in place of what the pool or the cluster has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scheduler_algorithm: Option<Algorithm>,
    /// Conditions that every group's node must meet.
    #[serde(with = "crate::null")]
    pub constraints: Vec<Constraint>,
    /// Preferences for every group's node.
    #[serde(with = "crate::null")]
    pub affinities: Vec<Affinity>,
    /// How instances are spread over values of an attribute.
    #[serde(with = "crate::null")]
    pub spreads: Vec<Spread>,
    /// The groups.
    #[serde(rename = "TaskGroups")]
    #[serde(with = "crate::null")]
    pub groups: Vec<Group>,
    /// Default of the groups' `update`, merged into them on admission.
    pub update: Option<Update>,
    /// Default of the groups' `reschedule`, merged into them on admission.
    pub reschedule: Option<Reschedule>,
    /// Default of the groups' `migrate`, merged into them on admission.
    pub migrate: Option<Migrate>,
    /// Starts at given times; batch jobs only.
    pub periodic: Option<Periodic>,
    /// The job is a form for others; batch jobs only.
    #[serde(rename = "ParameterizedJob")]
    pub parameterized: Option<Parameterized>,
    /// Runs in several regions.
    pub multiregion: Option<Multiregion>,
    /// What the web UI shows beside its state.
    #[serde(rename = "UI")]
    pub ui: Option<Ui>,
    /// Deprecated: a token of Consul.
    pub consul_token: String,
    /// Deprecated: a token of Vault.
    pub vault_token: String,
    /// Free key-value pairs, handed to tasks.
    #[serde(with = "crate::null")]
    pub meta: BTreeMap<String, String>,
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
            scheduler_algorithm: None,
            constraints: Vec::new(),
            affinities: Vec::new(),
            spreads: Vec::new(),
            groups: Vec::new(),
            update: None,
            reschedule: None,
            migrate: None,
            periodic: None,
            parameterized: None,
            multiregion: None,
            ui: None,
            consul_token: String::new(),
            vault_token: String::new(),
            meta: BTreeMap::new(),
        }
    }
}

/// Pack nodes, or keep them evenly filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Algorithm {
    /// The node of which least is wasted.
    #[default]
    Binpack,
    /// The emptiest.
    Spread,
}

impl Algorithm {
    /// As in jobspecs and in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Algorithm::Binpack => "binpack",
            Algorithm::Spread => "spread",
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_of_an_older_release_is_read() {
        let old = serde_json::json!({
            "ID": "web", "Type": "service", "Constraints": [], "Meta": {}, "Kept": {"Vault": {"Role": "web"}},
            "TaskGroups": [{
                "Name": "web", "ShutdownDelay": 0, "Kept": {"Networks[0].DynamicPorts[0].HostNetwork": "public"},
                "Networks": [{"Mode": "host", "DynamicPorts": [{"Label": "http", "Value": 0, "To": 80}]}],
                "Tasks": [{"Name": "web", "Kept": {"Templates": []}, "RestartPolicy": null}],
            }],
        });
        let job: Job = serde_json::from_value(old).unwrap();
        let task = Task { name: "web".into(), ..Task::default() };
        let port = Port { label: "http".into(), to: 80, ..Port::default() };
        let network = Network { mode: NetworkMode::Host, dynamic_ports: vec![port], ..Network::default() };
        let group = Group {
            name: "web".into(),
            shutdown_delay: Some(std::time::Duration::ZERO),
            networks: vec![network],
            tasks: vec![task],
            ..Group::default()
        };
        assert_eq!(job, Job { id: "web".into(), groups: vec![group], ..Job::default() });
    }

    #[test]
    fn what_is_written_is_read_back() {
        let job = Job { groups: vec![Group { tasks: vec![Task::default()], ..Group::default() }], ..Job::default() };
        let json = serde_json::to_value(&job).unwrap();
        assert_eq!(json["TaskGroups"][0]["Tasks"][0]["Env"], serde_json::Value::Null);
        assert_eq!(serde_json::from_value::<Job>(json).unwrap(), job);
    }
}
