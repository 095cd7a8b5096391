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
