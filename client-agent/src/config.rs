//! What an operator says of a node, and the seams through which its agent touches the world.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use model::{ClusterId, DeviceName, HostNetwork, HostVolume, NodeId, Resources};
use proto::net::{Dialer, Peer};
use seams::{Clock, Random};

use crate::drivers::Driver;
use crate::host::Host;
use crate::secrets::Secrets;
use crate::store::Store;

/// The settings of an agent.
#[derive(Clone, Debug)]
pub struct AgentConfig {
    /// The cluster that it belongs to. A server of another one is not obeyed.
    pub cluster: ClusterId,
    /// The node's id; see [`crate::node_id()`].
    pub node: NodeId,
    /// What tells this agent from one with a copy of its data folder; see [`crate::host_mark()`].
    pub host_mark: Option<[u8; 32]>,
    /// The node's name.
    pub name: String,
    /// Its datacenter.
    pub datacenter: String,
    /// Its pool.
    pub pool: String,
    /// A free label of its hardware; empty for none.
    pub class: String,
    /// The address on which ports are published.
    pub address: String,
    /// The address of the agent's HTTP listener, `host:port`; empty for none.
    pub http_address: String,
    /// Servers to begin with; more are learned from them.
    pub servers: Vec<Peer>,
    /// Facts given by the operator.
    pub meta: BTreeMap<String, String>,
    /// CPU of the node in MHz, in place of what is found.
    pub cpu_total_compute_mhz: Option<u64>,
    /// Memory of the node in MiB, in place of what is found.
    pub memory_total_mb: Option<u64>,
    /// Disk of the node in MiB, in place of what is found.
    pub disk_total_mb: Option<u64>,
    /// The sum of `memory_max` may reach memory times this, in percent (design 16).
    pub oversubscription_percent: u64,
    /// What is kept back for everything that is not an allocation.
    pub reserved: Resources,
    /// First and last port that may be picked for dynamic ports.
    pub dynamic_ports: (u16, u16),
    /// Ports that are never given away.
    pub reserved_ports: Vec<u16>,
    /// Cores that may be given to one task alone; all unless given, none where the node is a share of its host.
    pub reservable_cores: Option<BTreeSet<u16>>,
    /// Folders that tasks may mount, by name.
    pub host_volumes: BTreeMap<String, HostVolume>,
    /// Networks on which ports may be published, by name.
    pub host_networks: BTreeMap<String, HostNetwork>,
    /// The ways to attach groups to the network that every agent knows, less those that are not to be used.
    pub network_modes: BTreeSet<String>,
    /// Networks of the engine that groups may join, by the mode that a group gives, `cni/lan`.
    pub named_networks: BTreeMap<String, String>,
    /// The most allocations that may be held at once; none for as many as fit.
    pub max_allocations: Option<u32>,
    /// Where secrets are fetched from.
    pub secrets: Secrets,
    /// Where volumes are made; none where none are.
    pub volumes_folder: Option<PathBuf>,
    /// Devices that tasks may have.
    pub devices: Vec<Devices>,
    /// The least time between leaving the catalog and the first signal, for groups with services (design 4).
    pub deregister_grace: Duration,
    /// The longest `kill_timeout` that is granted.
    pub kill_timeout_max: Duration,
    /// How long nothing of the node moves after a planned end of the agent (design 11).
    pub lease: Duration,
}

impl AgentConfig {
    /// Defaults for node `node` of `cluster`.
    pub fn new(cluster: ClusterId, node: NodeId, name: impl Into<String>) -> Self {
        Self {
            cluster,
            node,
            host_mark: None,
            name: name.into(),
            datacenter: "dc1".into(),
            pool: model::DEFAULT_NODE_POOL.into(),
            class: String::new(),
            address: "127.0.0.1".into(),
            http_address: String::new(),
            servers: Vec::new(),
            meta: BTreeMap::new(),
            cpu_total_compute_mhz: None,
            memory_total_mb: None,
            disk_total_mb: None,
            oversubscription_percent: 150,
            reserved: Resources::default(),
            dynamic_ports: (20_000, 32_000),
            reserved_ports: Vec::new(),
            reservable_cores: None,
            host_volumes: BTreeMap::new(),
            host_networks: BTreeMap::new(),
            network_modes: model::usual_network_modes(),
            named_networks: BTreeMap::new(),
            max_allocations: None,
            secrets: Secrets::default(),
            volumes_folder: None,
            devices: Vec::new(),
            deregister_grace: Duration::from_secs(1),
            kill_timeout_max: Duration::from_secs(30),
            lease: Duration::from_secs(30),
        }
    }

    /// Whether the operator made the node a share of its host, so that others may run beside it.
    pub fn is_share_of_host(&self) -> bool {
        self.cpu_total_compute_mhz.is_some() || self.memory_total_mb.is_some()
    }
}

/// Equal devices of a host.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Devices {
    /// What they are.
    pub name: DeviceName,
    /// Facts that all of them share.
    pub attributes: BTreeMap<String, String>,
    /// The path of each of them on the host, by its id; empty for a device that is none of the kernel's.
    pub instances: BTreeMap<String, String>,
    /// Where each of them is on the PCI bus, by its id, for those of which it is known.
    pub bus_ids: BTreeMap<String, String>,
}

/// What an agent touches the world with.
pub struct AgentSeams {
    /// The network.
    pub dialer: Arc<dyn Dialer>,
    /// The wall clock.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
    /// What runs tasks. The fake driver is allowed by being here.
    pub drivers: Vec<Arc<dyn Driver>>,
    /// What is kept over a restart.
    pub store: Arc<dyn Store>,
    /// The host.
    pub host: Arc<dyn Host>,
}
