//! Jobs that are forms for others: started at given times, or dispatched with values.

use serde::{Deserialize, Serialize};

/// Starts a batch job at given times.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Periodic {
    /// Whether it starts at all.
    pub enabled: bool,
    /// When, as cron writes it.
    pub spec: String,
    /// The same, several times.
    #[serde(with = "crate::null")]
    pub specs: Vec<String>,
    /// The language of `spec`; there is only `cron`.
    pub spec_type: String,
    /// Whether a start is skipped while the last run is on.
    pub prohibit_overlap: bool,
    /// The time zone in which `spec` is meant.
    pub time_zone: String,
}

impl Default for Periodic {
    fn default() -> Self {
        Self {
            enabled: true,
            spec: String::new(),
            specs: Vec::new(),
            spec_type: "cron".into(),
            prohibit_overlap: false,
            time_zone: "UTC".into(),
        }
    }
}

/// Makes a batch job a form for others, which are dispatched from it with values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Parameterized {
    /// Whether a dispatch brings a payload: `optional`, `required` or `forbidden`.
    pub payload: String,
    /// Values that must be given.
    #[serde(with = "crate::null")]
    pub meta_required: Vec<String>,
    /// Values that may be given.
    #[serde(with = "crate::null")]
    pub meta_optional: Vec<String>,
}

impl Default for Parameterized {
    fn default() -> Self {
        Self { payload: "optional".into(), meta_required: Vec::new(), meta_optional: Vec::new() }
    }
}

/// Where a task finds the payload of its dispatch.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct DispatchPayload {
    /// The file, below the task's `local` folder.
    pub file: String,
}
