//! Services and their checks: what the catalog says of an instance.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Connect, Identity};

/// A service that a group or task provides under a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Service {
    /// The name in catalog and DNS; `${JOB}-${GROUP}-${TASK}` unless given.
    pub name: String,
    /// The task that a group's service belongs to.
    pub task_name: String,
    /// Label of the port, or a number.
    pub port_label: String,
    /// `auto`, `host`, `driver` or `alloc`.
    pub address_mode: String,
    /// An address to announce instead of the allocation's.
    pub address: String,
    /// Tags in catalog and DNS.
    #[serde(with = "crate::null")]
    pub tags: Vec<String>,
    /// Tags while the instance is a canary that is not promoted.
    #[serde(with = "crate::null")]
    pub canary_tags: Vec<String>,
    /// Free key-value pairs.
    #[serde(with = "crate::null")]
    pub meta: BTreeMap<String, String>,
    /// `consul`, `nomad` or nothing; all mean our catalog.
    pub provider: String,
    /// How its checks count in a deployment.
    pub on_update: OnUpdate,
    /// What tells whether the instance works.
    #[serde(with = "crate::null")]
    pub checks: Vec<Check>,
    /// Restarts the task when a check keeps failing that has no rule of its own.
    pub check_restart: Option<CheckRestart>,
    /// Values while the instance is a canary that is not promoted.
    #[serde(with = "crate::null")]
    pub canary_meta: BTreeMap<String, String>,
    /// Further addresses by tag.
    #[serde(with = "crate::null")]
    pub tagged_addresses: BTreeMap<String, String>,
    /// Whether others may change its tags in the catalog.
    pub enable_tag_override: bool,
    /// Weights of its addresses in DNS.
    pub weights: Option<Weights>,
    /// Which Consul.
    pub cluster: String,
    /// The kind of a gateway's service.
    pub kind: String,
    /// Its part in the service mesh.
    pub connect: Option<Connect>,
    /// The identity with which it is registered.
    pub identity: Option<Identity>,
}

impl Default for Service {
    fn default() -> Self {
        Self {
            name: String::new(),
            task_name: String::new(),
            port_label: String::new(),
            address_mode: "auto".into(),
            address: String::new(),
            tags: Vec::new(),
            canary_tags: Vec::new(),
            meta: BTreeMap::new(),
            provider: "consul".into(),
            on_update: OnUpdate::default(),
            checks: Vec::new(),
            check_restart: None,
            canary_meta: BTreeMap::new(),
            tagged_addresses: BTreeMap::new(),
            enable_tag_override: false,
            weights: None,
            cluster: "default".into(),
            kind: String::new(),
            connect: None,
            identity: None,
        }
    }
}

impl Service {
    /// The key under which an allocation keeps the state of the service's check at that place.
    pub fn check_key(&self, at: usize) -> String {
        match self.checks.get(at) {
            Some(check) if !check.name.is_empty() => format!("{}/{}", self.name, check.name),
            _ => format!("{}/{at}", self.name),
        }
    }
}

/// The weights of a service's addresses in DNS.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Weights {
    /// While its checks pass.
    pub passing: u32,
    /// While they warn.
    pub warning: u32,
}

impl Default for Weights {
    fn default() -> Self {
        Self { passing: 1, warning: 1 }
    }
}

/// A probe that the agent runs.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Check {
    /// Shown to people; made from the service's name unless given.
    pub name: String,
    /// What is probed.
    #[serde(rename = "Type")]
    pub kind: CheckKind,
    /// HTTP: the path.
    pub path: String,
    /// HTTP: the method, GET unless given.
    pub method: String,
    /// HTTP: `http` or `https`.
    pub protocol: String,
    /// HTTP: header lines.
    #[serde(with = "crate::null")]
    pub header: BTreeMap<String, Vec<String>>,
    /// HTTP: the request's body.
    pub body: String,
    /// Label of the port; the service's unless given.
    pub port_label: String,
    /// Time between probes.
    #[serde(with = "crate::nanoseconds")]
    pub interval: Duration,
    /// When a probe counts as failed.
    #[serde(with = "crate::nanoseconds")]
    pub timeout: Duration,
    /// Probes that must pass in a row before the check passes.
    pub success_before_passing: u32,
    /// Probes that may fail in a row before the check fails.
    pub failures_before_critical: u32,
    /// How it counts in a deployment; the service's unless given.
    pub on_update: OnUpdate,
    /// Restarts the task when the check keeps failing.
    pub check_restart: Option<CheckRestart>,
    /// Probes that may fail in a row before the check warns.
    pub failures_before_warning: u32,
    /// Which address is probed; the service's unless given.
    pub address_mode: String,
    /// The address that is probed, in place of the service's.
    pub advertise: String,
    /// Whether its path is reached past the mesh.
    pub expose: bool,
    /// The task in which a script runs.
    pub task_name: String,
    /// The status before the first probe.
    pub initial_status: String,
    /// A note for people.
    pub notes: String,
    /// HTTPS: whether any certificate is trusted.
    #[serde(rename = "TLSSkipVerify")]
    pub tls_skip_verify: bool,
    /// HTTPS: the name in the certificate.
    #[serde(rename = "TLSServerName")]
    pub tls_server_name: String,
    /// The script to run.
    pub command: String,
    /// Its arguments.
    #[serde(with = "crate::null")]
    pub args: Vec<String>,
    /// The gRPC service to ask.
    #[serde(rename = "GRPCService")]
    pub grpc_service: String,
    /// gRPC over TLS.
    #[serde(rename = "GRPCUseTLS")]
    pub grpc_use_tls: bool,
}

impl Check {
    /// Whether agents of this release probe it. What they do not counts neither for health nor for restarts.
    pub fn is_probed(&self) -> bool {
        match self.kind {
            CheckKind::Http => self.protocol != "https",
            CheckKind::Tcp => true,
            CheckKind::Grpc | CheckKind::Script => false,
        }
    }
}

/// What a check probes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckKind {
    /// A request; passes at a status from 200 to 399.
    #[default]
    Http,
    /// A connection.
    Tcp,
    /// A gRPC health service; not probed yet.
    Grpc,
    /// A command in the task; not run yet.
    Script,
}

/// How a check counts in a deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnUpdate {
    /// The instance is healthy only while it passes.
    #[default]
    #[serde(alias = "")]
    RequireHealthy,
    /// Warnings do not count against it.
    IgnoreWarnings,
    /// It does not count.
    Ignore,
}

/// Restarts a task whose check keeps failing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct CheckRestart {
    /// Failures in a row that cause a restart; 0 for never.
    pub limit: u32,
    /// Time after a start in which failures do not count.
    #[serde(with = "crate::nanoseconds")]
    pub grace: Duration,
    /// Whether warnings do not count.
    pub ignore_warnings: bool,
}

impl Default for CheckRestart {
    fn default() -> Self {
        Self { limit: 0, grace: Duration::from_secs(1), ignore_warnings: false }
    }
}
