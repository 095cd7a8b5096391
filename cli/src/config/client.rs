//! The block `client`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

/// What a client agent is told.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Client {
    /// Whether this process is a client agent.
    pub enabled: bool,
    /// The folder that `sched server init` made.
    pub cluster_dir: Option<PathBuf>,
    /// RPC addresses of servers, `ip:port`; any of them will do.
    pub servers: Vec<String>,
    /// The pool of this node; `default` unless given.
    pub node_pool: String,
    /// The class of this node, free text for constraints.
    pub node_class: String,
    /// Free key-value pairs for constraints.
    pub meta: BTreeMap<String, String>,
    /// What is kept for the host itself.
    pub reserved: Reserved,
    /// All CPU of this node in MHz; found out unless given.
    pub cpu_total_compute: Option<u64>,
    /// All memory of this node in MiB; found out unless given.
    pub memory_total_mb: Option<u64>,
    /// All disk of this node in MiB; found out unless given.
    pub disk_total_mb: Option<u64>,
    /// The lowest port that is given to tasks; 20000 unless given.
    pub min_dynamic_port: u16,
    /// The highest port that is given to tasks; 32000 unless given.
    pub max_dynamic_port: u16,
    /// The sum of `memory_max` may reach this times the node's memory; 1.5 unless given, at least 1.
    pub memory_oversubscription: f64,
    /// Cores that may be given to one task alone, such as `0-3,6`; all unless given.
    pub reservable_cores: Option<String>,
    /// Folders that tasks may mount, by name.
    pub host_volume: BTreeMap<String, HostVolume>,
    /// Networks on which ports may be published, by name.
    pub host_network: BTreeMap<String, HostNetwork>,
    /// Ways to attach groups to the network, of `host`, `bridge` and `none`; all of them unless given.
    pub network_modes: Option<Vec<String>>,
    /// Networks of the engine that groups may join with `mode = "cni/<name>"`, by name.
    pub cni_network: BTreeMap<String, CniNetwork>,
    /// The most allocations that this node holds at once; as many as fit unless given.
    pub node_max_allocs: Option<u32>,
    /// Where secrets of tasks are fetched from.
    pub secrets: Secrets,
    /// Devices that tasks may have, by vendor, type and model.
    pub device: BTreeMap<String, BTreeMap<String, BTreeMap<String, Device>>>,
    /// Containers through Docker.
    pub docker: Docker,
    /// Tasks that only pretend to run, for tests and examples.
    pub fake: Fake,
}

impl Default for Client {
    fn default() -> Self {
        Self {
            enabled: false,
            cluster_dir: None,
            servers: Vec::new(),
            node_pool: model::DEFAULT_NODE_POOL.into(),
            node_class: String::new(),
            meta: BTreeMap::new(),
            reserved: Reserved::default(),
            cpu_total_compute: None,
            memory_total_mb: None,
            disk_total_mb: None,
            min_dynamic_port: 20_000,
            max_dynamic_port: 32_000,
            memory_oversubscription: 1.5,
            reservable_cores: None,
            host_volume: BTreeMap::new(),
            host_network: BTreeMap::new(),
            network_modes: None,
            cni_network: BTreeMap::new(),
            node_max_allocs: None,
            secrets: Secrets::default(),
            device: BTreeMap::new(),
            docker: Docker::default(),
            fake: Fake::default(),
        }
    }
}

/// What is kept for the host itself and given to no task.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Reserved {
    /// MHz.
    pub cpu: u64,
    /// MiB.
    pub memory: u64,
    /// MiB.
    pub disk: u64,
    /// Ports, such as `22,80-90`.
    pub reserved_ports: String,
}

/// A folder that tasks may mount.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HostVolume {
    /// Where it is on the host.
    pub path: PathBuf,
    /// Whether nobody may write to it; false unless given.
    pub read_only: bool,
}

/// A network on which ports may be published.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HostNetwork {
    /// The node's IP address there.
    pub address: String,
    /// Ports of it that are given to nobody, such as `22,80-90`.
    pub reserved_ports: String,
}

/// A network of the engine that groups may join.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CniNetwork {
    /// What Docker calls it.
    pub docker_network: String,
}

/// Where secrets of tasks are fetched from.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Secrets {
    /// The folder of the provider `file`; it is not offered unless given.
    pub dir: Option<PathBuf>,
    /// A folder of programs, each a provider under its own name; none unless given.
    pub plugin_dir: Option<PathBuf>,
}

/// Equal devices.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Device {
    /// Facts that all of them share, such as `memory = "11 GiB"`.
    pub attributes: BTreeMap<String, String>,
    /// Each of them, by its id.
    pub instance: BTreeMap<String, DeviceInstance>,
}

/// One device.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeviceInstance {
    /// Its path on the host, such as `/dev/nvidia0`; none for what tasks reach in another way.
    pub path: String,
    /// Where it is on the PCI bus, such as `0000:65:00.0`, which tells to which cores it is near; none unless given.
    pub bus_id: String,
}

/// Containers through Docker.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Docker {
    /// Whether tasks may use it; true unless given.
    pub enabled: bool,
    /// The engine's socket; `/var/run/docker.sock` unless given.
    pub socket: PathBuf,
}

impl Default for Docker {
    fn default() -> Self {
        Self { enabled: true, socket: "/var/run/docker.sock".into() }
    }
}

/// Tasks that only pretend to run.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Fake {
    /// Whether tasks may use it; false unless given.
    pub enabled: bool,
}
