//! What would let an instance in: changes of the document or of the cluster, as values that can be carried out.

mod bend;
mod search;
mod slips;

use std::collections::BTreeMap;
use std::fmt;

use model::{Constraint, JobKey, Misfit, NodeId, Resources};

pub(super) use search::hints;
pub use slips::{Named, Slip};

/// Amounts that are asked for.
pub type Asks = BTreeMap<Dimension, u64>;

/// Something that would let an instance in: all of its changes together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    /// What to change; never empty.
    pub changes: Vec<Change>,
    /// Nodes that fit then.
    pub nodes: u32,
    /// A job that waits ahead and has the first use of it, so that it may be that nothing is left.
    pub behind: Option<JobKey>,
}

/// A change of the document or of the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Ask for less, the group's tasks together: down to these amounts, in MHz or MiB.
    Lower(Asks),
    /// Name what there is.
    Correct(Slip),
    /// Drop a constraint.
    RemoveConstraint(Constraint),
    /// Allow every datacenter.
    AnyDatacenter,
    /// Allow every node pool.
    AnyPool,
    /// Let the cluster choose the ports.
    DynamicPorts,
    /// Ask for fewer devices.
    FewerDevices {
        /// What is asked for, as it is written: `nvidia/gpu`.
        name: String,
        /// How many of each ask.
        to: u64,
    },
    /// Ask for fewer cores, the group's tasks together.
    FewerCores(u32),
    /// Ask for nothing to be near the cores, nor these near each other.
    NoNumaAffinity,
    /// Have a host volume only read.
    ReadVolumeOnly(String),
    /// Make drivers well that a node has.
    HealDrivers {
        /// The node.
        node: NodeId,
        /// Its name.
        name: String,
        /// The drivers, in order.
        drivers: Vec<String>,
    },
    /// Let a node have more allocations or dynamic ports than its agent is configured for.
    RaiseLimits {
        /// The node.
        node: NodeId,
        /// Its name.
        name: String,
        /// What it must have more of, each once.
        limits: Vec<NodeLimit>,
    },
    /// Have a node take new work again.
    OpenNode {
        /// The node.
        node: NodeId,
        /// Its name.
        name: String,
        /// What closes it.
        because: Misfit,
    },
    /// Stop a job, and wait until it is gone.
    StopJob(JobKey),
    /// Add a node that meets the job's conditions and has so much free.
    AddNode(NewNode),
}

/// What an agent's configuration limits on its node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NodeLimit {
    /// Allocations that it holds at once.
    Allocations,
    /// Ports that are picked for those who ask for any.
    DynamicPorts,
}

/// What a node must have free for one instance, and must be.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct NewNode {
    /// CPU in MHz, without cores that a task has alone.
    pub cpu_mhz: u64,
    /// Memory in MiB.
    pub memory_mb: u64,
    /// Memory in MiB that may be used above the reservation; 0 where that is no more than the memory.
    pub memory_max_mb: u64,
    /// Disk in MiB; 0 where no node was short of it.
    pub disk_mb: u64,
    /// Cores that tasks have alone.
    pub cores: u32,
    /// Devices, each as it is asked for with how many.
    pub devices: Vec<(String, u64)>,
    /// What it must be or have besides, each in words, because some node is not or has not: `host volume fast`.
    pub with: Vec<String>,
    /// Instances that need that much each.
    pub instances: u32,
    /// Whether each needs a node for itself.
    pub is_apart: bool,
}

/// What an instance asks an amount of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dimension {
    /// CPU, in MHz.
    Cpu,
    /// Memory, in MiB.
    Memory,
    /// The most memory that it may use, in MiB.
    MemoryMax,
    /// Disk, in MiB.
    Disk,
}

impl Hint {
    /// A change of the document or the cluster, after which so many nodes fit.
    fn of(changes: Vec<Change>, nodes: u32) -> Self {
        Self { changes, nodes, behind: None }
    }

    /// A sentence for people, in which only jobs are named that `may_be_named`.
    pub fn words(&self, may_be_named: impl Fn(&JobKey) -> bool) -> String {
        let changes: Vec<_> = self.changes.iter().map(ToString::to_string).collect();
        let mut words = changes.join(" and ");
        // A node that is opened or added is one by itself.
        if !self.changes.iter().any(Change::is_of_one_node) {
            words += &format!(": fits {} node{}", self.nodes, if self.nodes == 1 { "" } else { "s" });
        }
        // Whether a new node is of use to it nobody knows.
        let is_rehearsed = !self.changes.iter().any(|change| matches!(change, Change::AddNode(_)));
        let comes = if is_rehearsed { "comes first" } else { "may come first" };
        match &self.behind {
            None => {}
            Some(job) if may_be_named(job) => words += &format!("; {} waits ahead and {comes}", named(job)),
            Some(_) => words += &format!("; another job waits ahead and {comes}"),
        }
        words
    }
}

/// A sentence for people.
impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words(|_| true))
    }
}

fn named(job: &JobKey) -> String {
    match &*job.namespace {
        model::DEFAULT_NAMESPACE => format!("job {}", job.id),
        namespace => format!("job {} of namespace {namespace}", job.id),
    }
}

impl NewNode {
    /// What it must have free.
    pub(super) fn amounts(&self) -> Resources {
        Resources {
            cpu_mhz: self.cpu_mhz,
            memory_mb: self.memory_mb,
            memory_max_mb: self.memory_max_mb.max(self.memory_mb),
            // Where nobody is short of it there is enough.
            disk_mb: if self.disk_mb == 0 { u64::MAX } else { self.disk_mb },
        }
    }
}

impl Change {
    /// Whether it leaves the document as it is.
    pub(super) fn is_of_cluster(&self) -> bool {
        self.is_of_one_node() || matches!(self, Change::StopJob(_))
    }

    /// Whether it lets one node in more, which it names.
    fn is_of_one_node(&self) -> bool {
        match self {
            Change::HealDrivers { .. } | Change::RaiseLimits { .. } | Change::OpenNode { .. } | Change::AddNode(_) => {
                true
            }
            Change::Lower(_)
            | Change::Correct(_)
            | Change::RemoveConstraint(_)
            | Change::AnyDatacenter
            | Change::AnyPool
            | Change::DynamicPorts
            | Change::FewerDevices { .. }
            | Change::FewerCores(_)
            | Change::NoNumaAffinity
            | Change::ReadVolumeOnly(_)
            | Change::StopJob(_) => false,
        }
    }
}

/// What to do, in words.
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Change::Lower(to) => {
                let asks: Vec<_> = to.iter().map(|(of, to)| format!("{} to {to} {}", of.name(), of.unit())).collect();
                write!(f, "lower {}", asks.join(" and "))
            }
            Change::Correct(slip) => slip.fmt(f),
            Change::RemoveConstraint(constraint) => write!(f, "remove constraint `{constraint}`"),
            Change::AnyDatacenter => write!(f, "allow all datacenters"),
            Change::AnyPool => write!(f, "allow all node pools"),
            Change::DynamicPorts => write!(f, "use dynamic ports instead of static ones"),
            Change::FewerDevices { name, to } => write!(f, "ask for {to} of device {name}"),
            Change::FewerCores(to) => write!(f, "ask for {to} core{}", if *to == 1 { "" } else { "s" }),
            Change::NoNumaAffinity => write!(f, "drop the numa affinity"),
            Change::ReadVolumeOnly(name) => write!(f, "let host volume {name} be only read"),
            Change::HealDrivers { name, drivers, .. } => {
                write!(f, "make driver {} healthy on node {name}, which would fit", drivers.join(" and "))
            }
            Change::RaiseLimits { name, limits, .. } => {
                let limits: Vec<_> = limits.iter().map(|limit| limit.raise()).collect();
                write!(f, "{} on node {name}, which would fit", limits.join(" and "))
            }
            Change::OpenNode { name, because, .. } => {
                write!(f, "bring back node {name}, which would fit: {because}")
            }
            Change::StopJob(job) => write!(f, "stop {}", named(job)),
            Change::AddNode(node) => {
                match node.instances {
                    0 | 1 => write!(f, "add one node of at least {node}")?,
                    instances if node.is_apart => write!(f, "add {instances} nodes of at least {node} each")?,
                    instances => write!(f, "add room of at least {node} for each of {instances} instances")?,
                }
                match node.with.as_slice() {
                    [] => Ok(()),
                    with => write!(f, ", with {}", with.join(", ")),
                }
            }
        }
    }
}

impl NodeLimit {
    /// What to do, in words and settings of the agent's configuration.
    fn raise(self) -> &'static str {
        match self {
            NodeLimit::Allocations => "raise node_max_allocs",
            NodeLimit::DynamicPorts => "widen min_dynamic_port to max_dynamic_port",
        }
    }
}

impl fmt::Display for NewNode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = vec![format!("{} MHz", self.cpu_mhz)];
        let memory = format!("{} MiB", self.memory_mb);
        parts.push(match self.memory_max_mb {
            0 => memory,
            max => format!("{memory} (up to {max})"),
        });
        if self.disk_mb > 0 {
            parts.push(format!("{} MiB of disk", self.disk_mb));
        }
        if self.cores > 0 {
            parts.push(format!("{} cores", self.cores));
        }
        parts.extend(self.devices.iter().map(|(name, count)| format!("{count} of device {name}")));
        let last = parts.pop().unwrap_or_default();
        write!(f, "{} and {last}", parts.join(", "))
    }
}

impl Dimension {
    /// The word of the jobspec.
    pub fn name(self) -> &'static str {
        match self {
            Dimension::Cpu => "cpu",
            Dimension::Memory => "memory",
            Dimension::MemoryMax => "memory_max",
            Dimension::Disk => "disk",
        }
    }

    /// Its unit.
    pub fn unit(self) -> &'static str {
        match self {
            Dimension::Cpu => "MHz",
            Dimension::Memory | Dimension::MemoryMax | Dimension::Disk => "MiB",
        }
    }
}
