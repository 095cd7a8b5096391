//! Where secrets come from, and which Consul is meant.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A token of Vault for a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Vault {
    /// Deprecated: the token's policies.
    #[serde(with = "crate::null")]
    pub policies: Vec<String>,
    /// The role.
    pub role: String,
    /// Vault's namespace.
    pub namespace: String,
    /// Which Vault.
    pub cluster: String,
    /// Whether the token is in the environment.
    pub env: bool,
    /// Whether it is not written to a file.
    pub disable_file: bool,
    /// What its change does: `noop`, `signal` or `restart`.
    pub change_mode: String,
    /// The signal of `signal`; SIGHUP unless given.
    pub change_signal: String,
    /// Whether the token may run out.
    pub allow_token_expiration: bool,
}

impl Default for Vault {
    fn default() -> Self {
        Self {
            policies: Vec::new(),
            role: String::new(),
            namespace: String::new(),
            cluster: "default".into(),
            env: true,
            disable_file: false,
            change_mode: "restart".into(),
            change_signal: String::new(),
            allow_token_expiration: false,
        }
    }
}

/// A secret fetched for a task; its values are `${secret.name.key}`.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Secret {
    /// Unique in the task.
    pub name: String,
    /// `nomad`, `vault` or a plugin's name.
    pub provider: String,
    /// Where it lies.
    pub path: String,
    /// The provider's own settings.
    #[serde(with = "crate::null")]
    pub config: BTreeMap<String, Value>,
    /// The plugin's environment.
    #[serde(with = "crate::null")]
    pub env: BTreeMap<String, String>,
}

/// Which Consul a group or task uses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Consul {
    /// Consul's namespace.
    pub namespace: String,
    /// Which Consul.
    pub cluster: String,
    /// Consul's partition.
    pub partition: String,
}

impl Default for Consul {
    fn default() -> Self {
        Self { namespace: String::new(), cluster: "default".into(), partition: String::new() }
    }
}
