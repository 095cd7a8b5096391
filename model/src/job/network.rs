//! The network of a group: its mode and its ports.

use serde::{Deserialize, Serialize};

/// How a group's tasks are attached to the network.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Network {
    /// The mode.
    pub mode: NetworkMode,
    /// The host name inside a shared network namespace.
    pub hostname: String,
    /// Ports of fixed number on the node.
    pub reserved_ports: Vec<Port>,
    /// Ports whose number is picked at placement.
    pub dynamic_ports: Vec<Port>,
    /// Resolver settings of the tasks; the node's when absent.
    #[serde(rename = "DNS")]
    pub dns: Option<Dns>,
}

impl Network {
    /// All ports, those of fixed number first.
    pub fn ports(&self) -> impl Iterator<Item = &Port> {
        self.reserved_ports.iter().chain(&self.dynamic_ports)
    }
}

/// Where a group's tasks have their network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NetworkMode {
    /// Each task by its driver; ports are published on the node's address.
    #[default]
    #[serde(alias = "")]
    Host,
    /// All tasks share one network namespace.
    Bridge,
    /// No network.
    None,
}

/// A port of a group.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Port {
    /// The name by which tasks, services and checks refer to it.
    pub label: String,
    /// The number on the node; 0 where it is picked at placement.
    pub value: u16,
    /// The number inside the container: 0 for the task driver's choice, −1 for the same as on the node.
    pub to: i32,
}

/// Resolver settings.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Dns {
    /// Name servers.
    pub servers: Vec<String>,
    /// Search domains.
    pub searches: Vec<String>,
    /// Options such as `ndots:2`.
    pub options: Vec<String>,
}
