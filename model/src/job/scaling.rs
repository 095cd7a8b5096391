//! Bounds and policies for an autoscaler outside the cluster.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Bounds within which an autoscaler may change a count or an amount, and the rules that it shall follow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Scaling {
    /// Set by the servers.
    #[serde(rename = "ID")]
    pub id: String,
    /// Set by the servers.
    pub namespace: String,
    /// What is scaled: `horizontal` for a group's count, `vertical_cpu` and `vertical_mem` for a task.
    #[serde(rename = "Type")]
    pub kind: String,
    /// What the policy belongs to; set by the servers.
    #[serde(with = "crate::null")]
    pub target: BTreeMap<String, String>,
    /// Whether it is on.
    pub enabled: bool,
    /// The least; the group's count unless given.
    pub min: i64,
    /// The most.
    pub max: i64,
    /// The autoscaler's own rules.
    #[serde(with = "crate::null")]
    pub policy: BTreeMap<String, Value>,
}

impl Default for Scaling {
    fn default() -> Self {
        Self {
            id: String::new(),
            namespace: String::new(),
            kind: "horizontal".into(),
            target: BTreeMap::new(),
            enabled: true,
            min: 0,
            max: 0,
            policy: BTreeMap::new(),
        }
    }
}
