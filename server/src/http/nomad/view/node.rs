//! Nodes, full and as rows of lists.
//!
//! A node that missed a few beats (`Suspect`) has no counterpart in Nomad, whose `disconnected` means something that
//! lasts and makes tools replace work by themselves. It is shown as `ready`, because nothing moves, with a description
//! that says so and a field `Suspect` of our own.

use std::collections::{BTreeMap, BTreeSet};

use model::{DrainStrategy, Driver, Index, LastDrain, Node, NodeEvent, NodeStatus};
use serde::Serialize;

use super::equipment::{DeviceView, HostVolumeView, NodeNetworkView, devices, host_volumes, networks};
use super::time::GoTime;

/// A row of the list of nodes.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::http) struct NodeStub<'a> {
    #[serde(flatten)]
    common: Common<'a>,
    address: &'a str,
    version: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    attributes: Option<BTreeMap<&'a str, &'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    node_resources: Option<NodeResources<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reserved_resources: Option<ReservedResources>,
}

impl<'a> NodeStub<'a> {
    /// The row of a node.
    pub(in crate::http) fn of(node: &'a Node, with_resources: bool, with_os: bool) -> Self {
        let os = |(name, value): (&'a String, &'a String)| {
            name.starts_with("os.").then_some((name.as_str(), value.as_str()))
        };
        Self {
            common: Common::of(node),
            address: &node.address,
            version: &node.version,
            attributes: with_os.then(|| node.attributes.iter().filter_map(os).collect()),
            node_resources: with_resources.then(|| NodeResources::of(node)),
            reserved_resources: with_resources.then(|| ReservedResources::of(node)),
        }
    }
}

/// A node in full.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::http) struct NodeView<'a> {
    #[serde(flatten)]
    common: Common<'a>,
    #[serde(rename = "HTTPAddr")]
    http_address: &'a str,
    #[serde(rename = "TLSEnabled")]
    tls_enabled: bool,
    attributes: &'a BTreeMap<String, String>,
    meta: &'a BTreeMap<String, String>,
    node_resources: NodeResources<'a>,
    reserved_resources: ReservedResources,
    host_volumes: BTreeMap<&'a str, HostVolumeView<'a>>,
    network_modes: &'a BTreeSet<String>,
    /// 0 for as many as fit.
    node_max_allocs: u32,
    drain_strategy: Option<DrainView>,
    /// Seconds since 1970.
    status_updated_at: i64,
    events: Vec<EventView<'a>>,
    version: &'a str,
}

impl<'a> NodeView<'a> {
    /// A node.
    pub(in crate::http) fn of(node: &'a Node) -> Self {
        Self {
            common: Common::of(node),
            http_address: &node.http_address,
            tls_enabled: false,
            attributes: &node.attributes,
            meta: &node.meta,
            node_resources: NodeResources::of(node),
            reserved_resources: ReservedResources::of(node),
            host_volumes: host_volumes(node),
            network_modes: &node.network_modes,
            node_max_allocs: node.max_allocations.unwrap_or_default(),
            drain_strategy: node.drain.as_ref().map(DrainView::of),
            status_updated_at: node.status_at.nanoseconds() / 1_000_000_000,
            events: node.events.iter().map(EventView::of).collect(),
            version: &node.version,
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Common<'a> {
    #[serde(rename = "ID")]
    id: String,
    name: &'a str,
    datacenter: &'a str,
    node_pool: &'a str,
    node_class: &'a str,
    drain: bool,
    scheduling_eligibility: &'static str,
    status: &'static str,
    status_description: &'static str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    suspect: bool,
    drivers: BTreeMap<&'a str, DriverView<'a>>,
    last_drain: Option<LastDrainView<'a>>,
    create_index: Index,
    modify_index: Index,
}

impl<'a> Common<'a> {
    fn of(node: &'a Node) -> Self {
        let (status, status_description) = match node.status {
            NodeStatus::Suspect => (NodeStatus::Ready.as_str(), "missed its beats; nothing moves yet"),
            NodeStatus::Initializing | NodeStatus::Ready | NodeStatus::Down => (node.status.as_str(), ""),
        };
        Self {
            id: node.id.to_string(),
            name: &node.name,
            datacenter: &node.datacenter,
            node_pool: &node.pool,
            node_class: &node.class,
            drain: node.drain.is_some(),
            scheduling_eligibility: node.eligibility.as_str(),
            status,
            status_description,
            suspect: node.status == NodeStatus::Suspect,
            drivers: node.drivers.iter().map(|(name, driver)| (name.as_str(), DriverView::of(driver))).collect(),
            last_drain: node.last_drain.as_ref().map(LastDrainView::of),
            create_index: node.create_index,
            modify_index: node.modify_index,
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct DriverView<'a> {
    attributes: &'a BTreeMap<String, String>,
    detected: bool,
    healthy: bool,
    health_description: &'a str,
}

impl<'a> DriverView<'a> {
    fn of(driver: &'a Driver) -> Self {
        Self {
            attributes: &driver.attributes,
            detected: driver.detected,
            healthy: driver.healthy,
            health_description: &driver.description,
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct LastDrainView<'a> {
    started_at: GoTime,
    updated_at: GoTime,
    status: &'static str,
    meta: &'a BTreeMap<String, String>,
}

impl<'a> LastDrainView<'a> {
    fn of(drain: &'a LastDrain) -> Self {
        Self {
            started_at: GoTime(Some(drain.started_at)),
            updated_at: GoTime(Some(drain.updated_at)),
            status: drain.outcome.as_str(),
            meta: &drain.meta,
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct DrainView {
    /// Nanoseconds; 0 for without limit, −1 for at once.
    deadline: i64,
    ignore_system_jobs: bool,
    force_deadline: GoTime,
    started_at: GoTime,
}

impl DrainView {
    fn of(drain: &DrainStrategy) -> Self {
        let deadline = match drain.deadline {
            None => 0,
            Some(deadline) if deadline.is_zero() => -1,
            Some(deadline) => i64::try_from(deadline.as_nanos()).unwrap_or(i64::MAX),
        };
        Self {
            deadline,
            ignore_system_jobs: drain.ignore_system_jobs,
            force_deadline: GoTime(drain.ends_at()),
            started_at: GoTime(Some(drain.started_at)),
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct EventView<'a> {
    message: &'a str,
    subsystem: &'a str,
    details: BTreeMap<String, String>,
    timestamp: GoTime,
    create_index: Index,
}

impl<'a> EventView<'a> {
    fn of(event: &'a NodeEvent) -> Self {
        Self {
            message: &event.message,
            subsystem: &event.subsystem,
            details: BTreeMap::new(),
            timestamp: GoTime(Some(event.at)),
            create_index: event.index,
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct NodeResources<'a> {
    cpu: NodeCpu<'a>,
    memory: Memory,
    disk: Disk,
    node_networks: Vec<NodeNetworkView<'a>>,
    devices: Vec<DeviceView<'a>>,
    min_dynamic_port: u16,
    max_dynamic_port: u16,
}

impl<'a> NodeResources<'a> {
    fn of(node: &'a Node) -> Self {
        Self {
            cpu: NodeCpu { cpu_shares: node.total.cpu_mhz, reservable_cpu_cores: &node.cores.ids },
            memory: Memory { memory_mb: node.total.memory_mb },
            disk: Disk { disk_mb: node.total.disk_mb },
            node_networks: networks(node),
            devices: devices(node),
            min_dynamic_port: node.dynamic_ports.0,
            max_dynamic_port: node.dynamic_ports.1,
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct ReservedResources {
    cpu: Cpu,
    memory: Memory,
    disk: Disk,
    networks: ReservedNetworks,
}

impl ReservedResources {
    fn of(node: &Node) -> Self {
        let ports: Vec<String> = node.reserved_ports.iter().map(ToString::to_string).collect();
        Self {
            cpu: Cpu { cpu_shares: node.reserved.cpu_mhz },
            memory: Memory { memory_mb: node.reserved.memory_mb },
            disk: Disk { disk_mb: node.reserved.disk_mb },
            networks: ReservedNetworks { reserved_host_ports: ports.join(",") },
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct NodeCpu<'a> {
    cpu_shares: u64,
    reservable_cpu_cores: &'a BTreeSet<u16>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Cpu {
    cpu_shares: u64,
}

#[derive(Debug, Serialize)]
struct Memory {
    #[serde(rename = "MemoryMB")]
    memory_mb: u64,
}

#[derive(Debug, Serialize)]
struct Disk {
    #[serde(rename = "DiskMB")]
    disk_mb: u64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct ReservedNetworks {
    reserved_host_ports: String,
}
