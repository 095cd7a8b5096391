//! Signed identities of workloads.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The name of the identity that every task has.
pub const DEFAULT_IDENTITY: &str = "default";

/// A signed identity of a task or service, a JSON web token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Identity {
    /// Unique in the task.
    pub name: String,
    /// For whom it is; `nomadproject.io` for the default one.
    #[serde(with = "crate::null")]
    pub audience: Vec<String>,
    /// What its renewal does: `noop`, `signal` or `restart`.
    pub change_mode: String,
    /// The signal of `signal`.
    pub change_signal: String,
    /// Whether it is in the environment.
    pub env: bool,
    /// Whether it is in a file.
    pub file: bool,
    /// The file; below the task's secrets unless given.
    pub filepath: String,
    /// The service it is for.
    pub service_name: String,
    /// How long it holds; zero for ever.
    #[serde(rename = "TTL", with = "crate::nanoseconds")]
    pub ttl: Duration,
    /// Further claims.
    #[serde(with = "crate::null")]
    pub extra_claims: BTreeMap<String, String>,
}

impl Default for Identity {
    fn default() -> Self {
        Self {
            name: DEFAULT_IDENTITY.into(),
            audience: Vec::new(),
            change_mode: String::new(),
            change_signal: String::new(),
            env: false,
            file: false,
            filepath: String::new(),
            service_name: String::new(),
            ttl: Duration::ZERO,
            extra_claims: BTreeMap::new(),
        }
    }
}
