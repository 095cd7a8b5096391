//! Devices, and how near cores and devices must be to each other.

use serde::{Deserialize, Serialize};

use super::{Affinity, Constraint};
use crate::WHOLE_DEVICE;

/// Devices such as GPUs that a task asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Device {
    /// `type`, `vendor/type` or `vendor/type/name`.
    pub name: String,
    /// How many.
    pub count: u64,
    /// How much of each, in thousandths: less than 1000 leaves the rest to others.
    #[serde(skip_serializing_if = "is_whole")]
    pub share: u32,
    /// Conditions on the device.
    #[serde(with = "crate::null")]
    pub constraints: Vec<Constraint>,
    /// Preferences among devices.
    #[serde(with = "crate::null")]
    pub affinities: Vec<Affinity>,
}

/// Nomad has no shares, and shown is only what differs from it.
fn is_whole(share: &u32) -> bool {
    *share == WHOLE_DEVICE
}

impl Default for Device {
    fn default() -> Self {
        Self { name: String::new(), count: 1, share: WHOLE_DEVICE, constraints: Vec::new(), affinities: Vec::new() }
    }
}

/// How near cores and devices must be to each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Numa {
    /// `none`, `prefer` or `require`.
    pub affinity: String,
    /// Devices that must be near, as the task's `device` blocks name them.
    #[serde(with = "crate::null")]
    pub devices: Vec<String>,
}

impl Numa {
    /// Whether cores are to be near to each other, or at least better so.
    pub fn is_asked(&self) -> bool {
        self.is_required() || self.affinity == "prefer"
    }

    /// Whether cores that are not near to each other are of no use.
    pub fn is_required(&self) -> bool {
        self.affinity == "require"
    }
}

impl Default for Numa {
    fn default() -> Self {
        Self { affinity: "none".into(), devices: Vec::new() }
    }
}
