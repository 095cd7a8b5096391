//! Services and their checks: what the catalog says of an instance.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A service that a group or task provides under a name.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
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
    pub tags: Vec<String>,
    /// Tags while the instance is a canary that is not promoted.
    pub canary_tags: Vec<String>,
    /// Free key-value pairs.
    pub meta: BTreeMap<String, String>,
    /// `consul`, `nomad` or nothing; all mean our catalog.
    pub provider: String,
    /// How its checks count in a deployment.
    pub on_update: OnUpdate,
    /// What tells whether the instance works.
    pub checks: Vec<Check>,
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
