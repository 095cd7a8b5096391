//! What a node has beyond amounts: cores that one task may have alone, devices, volumes of the host, and networks.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::VolumeOffer;

/// A whole device, in the unit of shares.
pub const WHOLE_DEVICE: u32 = 1000;

/// Cores that may be given to one task alone.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Cores {
    /// Their numbers, as the kernel counts them.
    pub ids: BTreeSet<u16>,
    /// What each of them counts for in MHz.
    pub core_mhz: u64,
    /// Those of them that are near the same memory, by NUMA node. Empty where that is not known.
    #[serde(default)]
    pub numa_nodes: BTreeMap<u16, BTreeSet<u16>>,
}

/// What devices of one kind are called: `nvidia/gpu/1080ti`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct DeviceName {
    /// Who made them.
    pub vendor: String,
    /// What they are, `gpu`.
    pub kind: String,
    /// The model.
    pub name: String,
}

impl DeviceName {
    /// Whether an ask for `type`, `vendor/type` or `vendor/type/name` means these.
    pub fn answers_to(&self, ask: &str) -> bool {
        // Only the last part may hold slashes of its own.
        let mut parts = ask.splitn(3, '/');
        match (parts.next(), parts.next(), parts.next()) {
            (Some(kind), None, _) => self.kind == kind,
            (Some(vendor), Some(kind), None) => self.vendor == vendor && self.kind == kind,
            (Some(vendor), Some(kind), Some(name)) => self.vendor == vendor && self.kind == kind && self.name == name,
            (None, ..) => false,
        }
    }
}

impl fmt::Display for DeviceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.vendor, self.kind, self.name)
    }
}

/// Equal devices of a node.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DeviceGroup {
    /// What they are.
    pub name: DeviceName,
    /// Facts that all of them share, such as `memory` → `11 GiB`.
    pub attributes: BTreeMap<String, String>,
    /// Each of them.
    pub instances: Vec<DeviceInstance>,
}

/// One device.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DeviceInstance {
    /// Unique among its equals.
    pub id: String,
    /// Whether it may be given away.
    pub healthy: bool,
    /// The NUMA node that it is attached to, where that is known.
    #[serde(default)]
    pub numa_node: Option<u16>,
}

/// A folder of the host that tasks may mount.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct HostVolume {
    /// Where it is on the host.
    pub path: String,
    /// Whether nobody may write to it.
    pub read_only: bool,
    /// What jobs must know of it where it was made or registered while the cluster runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dynamic: Option<VolumeOffer>,
}

/// A network of the host on which ports may be published.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct HostNetwork {
    /// The node's address there.
    pub address: String,
    /// Ports of that address that are never given away, beside the node's.
    pub reserved_ports: Vec<u16>,
}

/// Cores that a task of an allocation has alone.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CoreGrant {
    /// The task.
    pub task: String,
    /// The cores.
    pub ids: BTreeSet<u16>,
}

impl DeviceGroup {
    /// The device of that id among its equals.
    pub fn id_of(&self, id: &str) -> DeviceId {
        DeviceId { name: self.name.clone(), id: id.to_string() }
    }
}

/// One device, of a node whose name is known.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct DeviceId {
    /// What it is.
    pub name: DeviceName,
    /// Which of its equals.
    pub id: String,
}

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]", self.name, self.id)
    }
}

/// A device, or a part of one, that a task of an allocation has.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DeviceGrant {
    /// The task.
    pub task: String,
    /// The device.
    pub device: DeviceId,
    /// How much of it, in thousandths.
    pub share: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ask_names_devices_by_type_by_vendor_or_by_model() {
        let name = DeviceName { vendor: "nvidia".into(), kind: "gpu".into(), name: "1080ti".into() };
        for (ask, wanted) in [
            ("gpu", true),
            ("nvidia/gpu", true),
            ("nvidia/gpu/1080ti", true),
            ("nvidia", false),
            ("amd/gpu", false),
            ("nvidia/gpu/2080ti", false),
            ("nvidia/gpu/1080ti/x", false),
            ("", false),
        ] {
            assert_eq!(name.answers_to(ask), wanted, "{ask}");
        }
    }
}
