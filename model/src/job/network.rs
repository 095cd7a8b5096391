//! The network of a group: its mode and its ports.

use std::collections::BTreeMap;

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
    #[serde(with = "crate::null")]
    pub reserved_ports: Vec<Port>,
    /// Ports whose number is picked at placement.
    #[serde(with = "crate::null")]
    pub dynamic_ports: Vec<Port>,
    /// Resolver settings of the tasks; the node's when absent.
    #[serde(rename = "DNS")]
    pub dns: Option<Dns>,
    /// Deprecated: the network interface.
    pub device: String,
    /// Deprecated: the network.
    #[serde(rename = "CIDR")]
    pub cidr: String,
    /// Deprecated: the address.
    #[serde(rename = "IP")]
    pub ip: String,
    /// Deprecated: the bandwidth.
    #[serde(rename = "MBits")]
    pub mbits: u32,
    /// What CNI plugins are told.
    #[serde(rename = "CNI")]
    pub cni: Option<Cni>,
}

impl Network {
    /// All ports, those of fixed number first.
    pub fn ports(&self) -> impl Iterator<Item = &Port> {
        self.reserved_ports.iter().chain(&self.dynamic_ports)
    }
}

/// Where a group's tasks have their network.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum NetworkMode {
    /// Nothing is said, which means the same as `host`.
    #[default]
    Unset,
    /// Each task by its driver; ports are published on the node's address.
    Host,
    /// All tasks share one network namespace.
    Bridge,
    /// No network.
    None,
    /// A network of that name: `cni/name`, or a driver's own.
    Named(String),
}

impl NetworkMode {
    /// Whether all tasks of the group share one network namespace.
    pub fn is_shared(&self) -> bool {
        match self {
            NetworkMode::Bridge | NetworkMode::Named(_) => true,
            NetworkMode::Unset | NetworkMode::Host | NetworkMode::None => false,
        }
    }

    /// What there is to do, where `host` and nothing mean the same.
    pub fn meaning(&self) -> &Self {
        match self {
            NetworkMode::Unset => &NetworkMode::Host,
            NetworkMode::Host | NetworkMode::Bridge | NetworkMode::None | NetworkMode::Named(_) => self,
        }
    }
}

impl From<String> for NetworkMode {
    fn from(word: String) -> Self {
        match word.as_str() {
            "" => NetworkMode::Unset,
            "host" => NetworkMode::Host,
            "bridge" => NetworkMode::Bridge,
            "none" => NetworkMode::None,
            _ => NetworkMode::Named(word),
        }
    }
}

impl From<NetworkMode> for String {
    fn from(mode: NetworkMode) -> Self {
        match mode {
            NetworkMode::Unset => String::new(),
            NetworkMode::Host => "host".into(),
            NetworkMode::Bridge => "bridge".into(),
            NetworkMode::None => "none".into(),
            NetworkMode::Named(name) => name,
        }
    }
}

/// What CNI plugins are told.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Cni {
    /// Arguments by name.
    #[serde(with = "crate::null")]
    pub args: BTreeMap<String, String>,
}

/// A port of a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Port {
    /// The name by which tasks, services and checks refer to it.
    pub label: String,
    /// The number on the node; 0 where it is picked at placement.
    pub value: u16,
    /// The number inside the container: 0 for the task driver's choice, −1 for the same as on the node.
    pub to: i32,
    /// The network of the node on which it is published.
    pub host_network: String,
    /// Whether other instances on the node may have the same number.
    pub ignore_collision: bool,
}

impl Default for Port {
    fn default() -> Self {
        Self { label: String::new(), value: 0, to: 0, host_network: "default".into(), ignore_collision: false }
    }
}

/// Resolver settings.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Dns {
    /// Name servers.
    #[serde(with = "crate::null")]
    pub servers: Vec<String>,
    /// Search domains.
    #[serde(with = "crate::null")]
    pub searches: Vec<String>,
    /// Options such as `ndots:2`.
    #[serde(with = "crate::null")]
    pub options: Vec<String>,
}
