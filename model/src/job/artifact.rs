//! Files that are fetched before a task starts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A file fetched before the task starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Artifact {
    /// Where it lies: a URL, or a repository as go-getter writes it.
    pub getter_source: String,
    /// Options of the fetch, such as `checksum`.
    #[serde(with = "crate::null")]
    pub getter_options: BTreeMap<String, String>,
    /// Header lines of the request.
    #[serde(with = "crate::null")]
    pub getter_headers: BTreeMap<String, String>,
    /// What it is: `any`, `file` or `dir`.
    pub getter_mode: String,
    /// Whether any certificate is trusted.
    pub getter_insecure: bool,
    /// Where it goes; `local/` unless given, with the file's name if it is a `file`.
    pub relative_dest: String,
    /// Whether the task's user owns it.
    pub chown: bool,
}

impl Default for Artifact {
    fn default() -> Self {
        Self {
            getter_source: String::new(),
            getter_options: BTreeMap::new(),
            getter_headers: BTreeMap::new(),
            getter_mode: "any".into(),
            getter_insecure: false,
            relative_dest: String::new(),
            chown: false,
        }
    }
}
