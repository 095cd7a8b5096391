//! Why something was not placed: every "no" of the scheduler as a value with its numbers.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{NodeId, Resources, Timestamp, Trigger, VolumeCapability, WHOLE_DEVICE};

/// One reason why a group does not fit on a node.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Misfit {
    /// The node is not ready: its agent is silent, or it never reported.
    NotReady {
        /// Its status, as users see it.
        status: String,
    },
    /// The node takes no new work: it drains, or someone marked it ineligible.
    Ineligible {
        /// Whether a drain is the cause.
        draining: bool,
    },
    /// The node is in a datacenter that the job does not name.
    Datacenter {
        /// The node's datacenter.
        has: String,
    },
    /// The node is in another pool than the job asks for.
    Pool {
        /// The node's pool.
        has: String,
    },
    /// The node has no healthy driver of that name.
    Driver {
        /// The driver's name.
        name: String,
    },
    /// A constraint is not met.
    Constraint {
        /// The constraint as it is written, `${attr.kernel.name} = linux`.
        text: String,
        /// What the node has in its place; none where it has no such attribute.
        has: Option<String>,
    },
    /// Another allocation of the job or group runs there, which `distinct_hosts` forbids.
    DistinctHosts,
    /// As many allocations as allowed share this value of a property.
    DistinctProperty {
        /// The property, `${meta.rack}`.
        property: String,
        /// Its value on this node.
        value: String,
    },
    /// Too little CPU is free.
    Cpu {
        /// MHz wanted.
        ask_mhz: u64,
        /// MHz free.
        free_mhz: u64,
    },
    /// Too little memory is free.
    Memory {
        /// MiB wanted.
        ask_mb: u64,
        /// MiB free.
        free_mb: u64,
    },
    /// The node's budget for memory above the reservation is used up.
    MemoryMax {
        /// MiB wanted.
        ask_mb: u64,
        /// MiB left in the budget.
        free_mb: u64,
    },
    /// Too little disk is free.
    Disk {
        /// MiB wanted.
        ask_mb: u64,
        /// MiB free.
        free_mb: u64,
    },
    /// A static port is taken.
    PortTaken {
        /// The port.
        port: u16,
    },
    /// No dynamic port is left.
    NoDynamicPort,
    /// Too few cores are free that a task may have alone.
    Cores {
        /// Cores wanted.
        ask: u32,
        /// Cores free.
        free: u32,
    },
    /// Too few cores near the same memory are there or free.
    NumaCores {
        /// Cores wanted on one NUMA node.
        ask: u32,
        /// The most cores that one of the node's NUMA nodes has.
        most: u32,
        /// The most that are free on one.
        free: u32,
    },
    /// Too few devices are there or free on the NUMA node where the cores would be.
    NumaDevice {
        /// What is asked for, as it is written: `nvidia/gpu`.
        name: String,
        /// How many.
        ask: u64,
        /// The most healthy ones that meet the ask on one NUMA node.
        matching: u64,
        /// The most that are free on one which has the cores free as well.
        free: u64,
    },
    /// Too few devices, or parts of devices, are there or free.
    Device {
        /// What is asked for, as it is written: `nvidia/gpu`.
        name: String,
        /// How many.
        ask: u64,
        /// How much of each, in thousandths.
        share: u32,
        /// Healthy ones of the node that meet the ask; where none of it is large enough, of its largest set of equals.
        matching: u64,
        /// How many of these have so much left.
        free: u64,
    },
    /// The node has no host volume of that name.
    HostVolume {
        /// The volume's name.
        name: String,
    },
    /// The node's host volume of that name can't be written, and the group wants to.
    HostVolumeReadOnly {
        /// The volume's name.
        name: String,
    },
    /// As many allocations are held there as the node may have at once.
    Allocations {
        /// How many that is.
        max: u32,
    },
    /// The node can't attach groups to the network in that way.
    NetworkMode {
        /// The mode, `bridge` or `cni/lan`.
        mode: String,
    },
    /// The node can't fetch secrets from that provider.
    SecretsProvider {
        /// The provider's name.
        name: String,
    },
    /// The node's host volume of that name can't be used in the way that the group wants.
    HostVolumeMode {
        /// The volume's name.
        name: String,
        /// How the group wants to use it.
        wanted: VolumeCapability,
    },
    /// Another allocation writes to the volume, and one of both wants to be alone.
    HostVolumeWritten {
        /// The volume's name.
        name: String,
    },
    /// The instance has claimed a volume elsewhere, and comes back to that.
    HostVolumeClaimed {
        /// The volume's name.
        name: String,
        /// The node where it is.
        node: NodeId,
    },
    /// The node can't make volumes by that plugin.
    VolumePlugin {
        /// The plugin's name.
        name: String,
    },
    /// The node has a volume of that name already.
    VolumeNameTaken {
        /// The name.
        name: String,
    },
    /// The node has no network of that name on which to publish ports.
    HostNetwork {
        /// The network's name.
        name: String,
    },
}

impl Misfit {
    /// The few words by which equal reasons of different nodes are counted together.
    pub fn dimension(&self) -> Cow<'_, str> {
        match self {
            Misfit::NotReady { status } => format!("node {status}").into(),
            Misfit::Ineligible { draining: true } => "node draining".into(),
            Misfit::Ineligible { draining: false } => "node ineligible".into(),
            Misfit::Datacenter { .. } => "datacenter".into(),
            Misfit::Pool { .. } => "node pool".into(),
            Misfit::Driver { name } => format!("missing driver {name}").into(),
            Misfit::Constraint { text, .. } => text.as_str().into(),
            Misfit::DistinctHosts => "distinct_hosts".into(),
            Misfit::DistinctProperty { property, .. } => format!("distinct_property: {property}").into(),
            Misfit::Cpu { .. } => "cpu".into(),
            Misfit::Memory { .. } => "memory".into(),
            Misfit::MemoryMax { .. } => "memory_max".into(),
            Misfit::Disk { .. } => "disk".into(),
            Misfit::PortTaken { port } => format!("port {port}").into(),
            Misfit::NoDynamicPort => "dynamic ports".into(),
            Misfit::Cores { .. } => "cores".into(),
            Misfit::NumaCores { .. } => "cores of one numa node".into(),
            Misfit::NumaDevice { name, .. } => format!("device {name} near the cores").into(),
            Misfit::Device { name, .. } if self.is_filter() => format!("missing device {name}").into(),
            Misfit::Device { name, .. } => format!("device {name}").into(),
            Misfit::HostVolume { name } => format!("missing host volume {name}").into(),
            Misfit::HostVolumeMode { name, .. } => format!("access mode of host volume {name}").into(),
            Misfit::HostVolumeWritten { name } => format!("host volume {name} is written").into(),
            Misfit::HostVolumeClaimed { name, .. } => format!("host volume {name} is claimed elsewhere").into(),
            Misfit::VolumePlugin { name } => format!("missing volume plugin {name}").into(),
            Misfit::VolumeNameTaken { name } => format!("volume {name} is there").into(),
            Misfit::HostVolumeReadOnly { name } => format!("read-only host volume {name}").into(),
            Misfit::HostNetwork { name } => format!("missing host network {name}").into(),
            Misfit::Allocations { .. } => "max allocations".into(),
            Misfit::NetworkMode { mode } => format!("missing network mode {mode}").into(),
            Misfit::SecretsProvider { name } => format!("missing secrets provider {name}").into(),
        }
    }

    /// Whether the node could never take the group as it is, whatever ends there; otherwise it is merely full.
    pub fn is_filter(&self) -> bool {
        match self {
            Misfit::NotReady { .. }
            | Misfit::Ineligible { .. }
            | Misfit::Datacenter { .. }
            | Misfit::Pool { .. }
            | Misfit::Driver { .. }
            | Misfit::Constraint { .. }
            | Misfit::DistinctHosts
            | Misfit::DistinctProperty { .. }
            | Misfit::HostVolume { .. }
            | Misfit::HostVolumeReadOnly { .. }
            | Misfit::HostVolumeMode { .. }
            | Misfit::HostVolumeClaimed { .. }
            | Misfit::VolumePlugin { .. }
            | Misfit::VolumeNameTaken { .. }
            | Misfit::HostNetwork { .. }
            | Misfit::NetworkMode { .. }
            | Misfit::SecretsProvider { .. } => true,
            // Devices that are not there can't become free.
            Misfit::Device { ask, matching, .. } | Misfit::NumaDevice { ask, matching, .. } => matching < ask,
            Misfit::NumaCores { ask, most, .. } => most < ask,
            Misfit::Cpu { .. }
            | Misfit::Memory { .. }
            | Misfit::MemoryMax { .. }
            | Misfit::Disk { .. }
            | Misfit::PortTaken { .. }
            | Misfit::NoDynamicPort
            | Misfit::Allocations { .. }
            | Misfit::HostVolumeWritten { .. }
            | Misfit::Cores { .. } => false,
        }
    }
}

/// A sentence for people.
impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Misfit::NotReady { status } => write!(f, "node is {status}"),
            Misfit::Ineligible { draining: true } => write!(f, "node is draining"),
            Misfit::Ineligible { draining: false } => write!(f, "node is marked ineligible"),
            Misfit::Datacenter { has } => write!(f, "datacenter {has} is not among the job's"),
            Misfit::Pool { has } => write!(f, "node pool {has} is not the job's"),
            Misfit::Driver { name } => write!(f, "driver {name} is missing or unhealthy"),
            Misfit::Constraint { text, has: Some(has) } => write!(f, "constraint {text} (is {has})"),
            Misfit::Constraint { text, has: None } => write!(f, "constraint {text} (not set)"),
            Misfit::DistinctHosts => write!(f, "distinct_hosts: another instance already runs there"),
            Misfit::DistinctProperty { property, value } => {
                write!(f, "distinct_property {property}: {value} is used up")
            }
            Misfit::Cpu { ask_mhz, free_mhz } => {
                write!(f, "cpu short {} MHz of {ask_mhz}", ask_mhz.saturating_sub(*free_mhz))
            }
            Misfit::Memory { ask_mb, free_mb } => {
                write!(f, "memory short {} MiB of {ask_mb}", ask_mb.saturating_sub(*free_mb))
            }
            Misfit::MemoryMax { ask_mb, free_mb } => {
                write!(f, "memory_max short {} MiB of {ask_mb}", ask_mb.saturating_sub(*free_mb))
            }
            Misfit::Disk { ask_mb, free_mb } => {
                write!(f, "disk short {} MiB of {ask_mb}", ask_mb.saturating_sub(*free_mb))
            }
            Misfit::PortTaken { port } => write!(f, "port {port} is taken"),
            Misfit::NoDynamicPort => write!(f, "no dynamic port is left"),
            Misfit::Cores { ask, free } => write!(f, "cores short {} of {ask}", ask.saturating_sub(*free)),
            Misfit::NumaCores { ask, most, free } => {
                write!(f, "{ask} cores of one numa node wanted, one has at most {most}, {free} of them free")
            }
            Misfit::NumaDevice { name, ask, matching, free } => {
                write!(f, "device {name} near the cores: {ask} wanted, {matching} match, {free} free")
            }
            Misfit::Device { name, ask, share, matching, free } => {
                let share = if *share < WHOLE_DEVICE { format!("{share}/{WHOLE_DEVICE} of ") } else { String::new() };
                write!(f, "device {name}: {share}{ask} wanted, {matching} match, {free} free")
            }
            Misfit::HostVolume { name } => write!(f, "host volume {name} is missing"),
            Misfit::HostVolumeMode { name, wanted } => write!(f, "host volume {name} is not for {wanted}"),
            Misfit::HostVolumeWritten { name } => write!(f, "host volume {name} has a writer, and one writes alone"),
            Misfit::HostVolumeClaimed { name, node } => {
                write!(f, "the instance has its volume {name} on node {}", node.short())
            }
            Misfit::VolumePlugin { name } => write!(f, "volume plugin {name} is missing"),
            Misfit::VolumeNameTaken { name } => write!(f, "a volume {name} is there already"),
            Misfit::HostVolumeReadOnly { name } => write!(f, "host volume {name} is read-only"),
            Misfit::HostNetwork { name } => write!(f, "host network {name} is missing"),
            Misfit::Allocations { max } => write!(f, "node has its most allocations, {max}"),
            Misfit::NetworkMode { mode } => write!(f, "network mode {mode} is missing"),
            Misfit::SecretsProvider { name } => write!(f, "secrets provider {name} is missing"),
        }
    }
}

/// A node that came close, with what it was short of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NearMiss {
    /// The node.
    pub node: NodeId,
    /// Its name, kept because the node may be gone when this is read.
    pub node_name: String,
    /// Everything that spoke against it.
    pub misfits: Vec<Misfit>,
}

/// Why instances of one group were not placed: sums over all nodes, and the nodes that came closest.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Unplaced {
    /// Instances that found no node.
    pub count: u32,
    /// What one instance asks for.
    pub ask: Resources,
    /// Nodes that exist.
    pub nodes_total: u32,
    /// Nodes that could never take it (`Misfit::is_filter`), each counted once.
    pub nodes_filtered: u32,
    /// Nodes that could but are too full, each counted once.
    pub nodes_exhausted: u32,
    /// Nodes per datacenter that were ready and in the job's datacenters and pool.
    pub nodes_available: BTreeMap<String, u32>,
    /// How often each reason was met, filters and exhaustion together. A node counts under each of its reasons.
    pub reasons: BTreeMap<String, ReasonCount>,
    /// At most five nodes that came closest.
    pub nearest: Vec<NearMiss>,
    /// Nodes where room comes anyway, because something ends there already: for that instances wait which could take the
    /// room of lower work. One of them where any node will do.
    #[serde(default)]
    pub coming: BTreeSet<NodeId>,
    /// How the wait began, if that was before the evaluation that waits now. A plan says nothing of it: `apply` knows.
    #[serde(default)]
    pub began: Option<WaitBegan>,
}

/// How a group began to wait for room, by which it is known however often it was tried since.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitBegan {
    /// When the first found none.
    pub at: Timestamp,
    /// What caused the evaluation of that.
    pub by: Trigger,
}

/// How many nodes gave one reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ReasonCount {
    /// Nodes with this reason.
    pub nodes: u32,
    /// Whether it excludes the node for good, `Misfit::is_filter`.
    pub filter: bool,
}
