//! A node: a host whose agent runs allocations.

mod equipment;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Index, NodeId, Resources, Timestamp};

pub use equipment::{
    CoreGrant, Cores, DeviceGrant, DeviceGroup, DeviceId, DeviceInstance, DeviceName, HostNetwork, HostVolume,
    WHOLE_DEVICE,
};

/// The network of a port that names none.
pub const DEFAULT_HOST_NETWORK: &str = "default";

/// How groups may be attached to the network of a node that says nothing else.
pub fn usual_network_modes() -> BTreeSet<String> {
    ["host", "bridge", "none"].map(String::from).into()
}

/// The attribute that a node has which can fetch secrets from that provider; its value is the provider's version.
pub fn secrets_provider_attribute(provider: &str) -> String {
    format!("plugins.secrets.{provider}.version")
}

/// A host as its agent describes it, and what the servers know of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// The id, kept in the agent's state directory.
    pub id: NodeId,
    /// Unique among people, by convention; the host name unless configured.
    pub name: String,
    /// The datacenter.
    pub datacenter: String,
    /// The pool.
    pub pool: String,
    /// A free label of the hardware; empty for none.
    pub class: String,
    /// The address on which ports are published.
    pub address: String,
    /// The address of the agent's HTTP listener, `host:port`; empty for none.
    pub http_address: String,
    /// Facts found by the agent, such as `kernel.name`.
    pub attributes: BTreeMap<String, String>,
    /// Facts given by the operator.
    pub meta: BTreeMap<String, String>,
    /// All that the host has.
    pub total: Resources,
    /// What is kept back for everything that is not an allocation.
    pub reserved: Resources,
    /// First and last port that may be picked for dynamic ports.
    pub dynamic_ports: (u16, u16),
    /// Ports that are never given away.
    pub reserved_ports: Vec<u16>,
    /// The drivers, by name.
    pub drivers: BTreeMap<String, Driver>,
    /// The agent's release.
    pub version: String,
    /// Cores that may be given to one task alone.
    #[serde(default)]
    pub cores: Cores,
    /// Devices such as GPUs.
    #[serde(default)]
    pub devices: Vec<DeviceGroup>,
    /// Folders that tasks may mount, by name.
    #[serde(default)]
    pub host_volumes: BTreeMap<String, HostVolume>,
    /// Networks on which ports may be published, by name. One that is called `default` stands in place of `address`.
    #[serde(default)]
    pub host_networks: BTreeMap<String, HostNetwork>,
    /// How groups may be attached to the network there: `host`, `bridge`, `none` and networks by name, `cni/lan`.
    #[serde(default = "usual_network_modes")]
    pub network_modes: BTreeSet<String>,
    /// The most allocations that may be held there at once; none for as many as fit.
    #[serde(default)]
    pub max_allocations: Option<u32>,

    /// Whether it is heard of.
    pub status: NodeStatus,
    /// When the status last changed.
    pub status_at: Timestamp,
    /// Whether new work may be placed there.
    pub eligibility: Eligibility,
    /// Set while it drains.
    pub drain: Option<DrainStrategy>,
    /// How the last drain went.
    pub last_drain: Option<LastDrain>,
    /// Index at which anything that placement depends on last changed; a plan names the one it was made with.
    pub generation: Index,
    /// The ten newest events.
    pub events: Vec<NodeEvent>,
    /// Index of its registration.
    pub create_index: Index,
    /// Index of its last change.
    pub modify_index: Index,
}

impl Node {
    /// What allocations may hold in all: total less reserved, with the memory budget above the reservation.
    ///
    /// `memory_max_mb` of `total` already holds the oversubscription factor (design 16).
    pub fn capacity(&self) -> Resources {
        self.total - self.reserved
    }

    /// The node's address on that network; none where it has no such network. `default` and nothing mean the network
    /// of `address`.
    pub fn address_on(&self, network: &str) -> Option<&str> {
        let network = if network.is_empty() { DEFAULT_HOST_NETWORK } else { network };
        match self.host_networks.get(network) {
            Some(known) => Some(&known.address),
            None => (network == DEFAULT_HOST_NETWORK).then_some(self.address.as_str()),
        }
    }

    /// The node's address on the network of ports that name none.
    pub fn default_address(&self) -> &str {
        self.address_on(DEFAULT_HOST_NETWORK).unwrap_or(&self.address)
    }

    /// Whether that port of that address is never given away.
    pub fn reserves_port(&self, address: &str, port: u16) -> bool {
        let of_network = |network: &HostNetwork| network.address == address && network.reserved_ports.contains(&port);
        self.reserved_ports.contains(&port) || self.host_networks.values().any(of_network)
    }

    /// The devices of that name.
    pub fn device_group(&self, name: &DeviceName) -> Option<&DeviceGroup> {
        self.devices.iter().find(|group| group.name == *name)
    }

    /// Whether new allocations may be placed.
    pub fn is_schedulable(&self) -> bool {
        self.status == NodeStatus::Ready && self.eligibility == Eligibility::Eligible && self.drain.is_none()
    }
}

/// Whether a node is heard of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum NodeStatus {
    /// Registered, and not heard of since.
    #[default]
    Initializing,
    /// Its beats arrive.
    Ready,
    /// Silent for a short while: out of the catalog, no new placements, nothing moves.
    Suspect,
    /// Silent for so long that its work is replaced.
    Down,
}

impl NodeStatus {
    /// The word for people.
    pub fn as_str(self) -> &'static str {
        match self {
            NodeStatus::Initializing => "initializing",
            NodeStatus::Ready => "ready",
            NodeStatus::Suspect => "suspect",
            NodeStatus::Down => "down",
        }
    }
}

/// Whether new work may be placed on a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum Eligibility {
    /// It may.
    #[default]
    Eligible,
    /// It may not; what runs there stays.
    Ineligible,
}

impl Eligibility {
    /// The word for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Eligibility::Eligible => "eligible",
            Eligibility::Ineligible => "ineligible",
        }
    }
}

/// A driver on a node.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Driver {
    /// Whether it is there at all.
    pub detected: bool,
    /// Whether it works.
    pub healthy: bool,
    /// Why, in words.
    pub description: String,
    /// Facts such as `driver.docker.version`.
    pub attributes: BTreeMap<String, String>,
}

/// What a drain shall do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrainStrategy {
    /// When it began.
    pub started_at: Timestamp,
    /// How long it may take; none for without limit, zero for at once.
    pub deadline: Option<Duration>,
    /// Whether system jobs stay.
    pub ignore_system_jobs: bool,
}

impl DrainStrategy {
    /// When everything that is left is stopped.
    pub fn ends_at(&self) -> Option<Timestamp> {
        self.deadline.map(|deadline| self.started_at + deadline)
    }
}

/// How the last drain of a node went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastDrain {
    /// When it began.
    pub started_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Where it stands.
    pub outcome: DrainOutcome,
    /// What the person who began it noted.
    pub meta: BTreeMap<String, String>,
}

/// Where a drain stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum DrainOutcome {
    /// It goes on.
    Draining,
    /// Every container was observed gone.
    Complete,
    /// Someone took it back.
    Canceled,
}

impl DrainOutcome {
    /// The word for people.
    pub fn as_str(self) -> &'static str {
        match self {
            DrainOutcome::Draining => "draining",
            DrainOutcome::Complete => "complete",
            DrainOutcome::Canceled => "canceled",
        }
    }
}

/// Something that happened to a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeEvent {
    /// When.
    pub at: Timestamp,
    /// `Cluster`, `Drain`, `Heartbeat` or `Driver`.
    pub subsystem: String,
    /// A sentence.
    pub message: String,
    /// Index of the entry that brought it.
    pub index: Index,
}
