//! What would let an instance in: each hint is a bent document that was put through the same checks.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use model::{Constraint, Group, Job, Misfit};

use crate::schedule::{Finding, Survey};

/// An ask that would have to be lowered to less than one part in so many is no hint.
const LOWERED_PARTS_MAX: u64 = 10;

/// Amounts that are asked for.
pub type Asks = BTreeMap<Dimension, u64>;

/// Something that would let an instance in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hint {
    /// Ask for less, the group's tasks together.
    Lower {
        /// Down to these amounts, in MHz or MiB.
        to: Asks,
        /// Nodes that fit then.
        nodes: u32,
    },
    /// Drop a constraint.
    RemoveConstraint {
        /// The constraint as it is written.
        constraint: String,
        /// Nodes that fit then.
        nodes: u32,
    },
    /// Allow every datacenter.
    AnyDatacenter {
        /// Nodes that fit then.
        nodes: u32,
    },
    /// Allow every node pool.
    AnyPool {
        /// Nodes that fit then.
        nodes: u32,
    },
    /// Let the cluster choose the ports.
    DynamicPorts {
        /// Nodes that fit then.
        nodes: u32,
    },
    /// A node would fit if it were ready and open.
    OpenNode {
        /// Its name.
        name: String,
        /// What closes it.
        because: Misfit,
    },
    /// Another node, which meets the job's conditions.
    AddNode {
        /// Its CPU.
        cpu_mhz: u64,
        /// Its memory.
        memory_mb: u64,
        /// Instances that need one each.
        instances: u32,
    },
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

/// What would let the instance of `survey` in: changes of the document first, then changes of the cluster.
pub(super) fn hints(survey: &Survey<'_>, findings: &[Finding], unplaced: u32) -> Vec<Hint> {
    let Some(group) = survey.group() else { return Vec::new() };
    let now = fits(findings);
    // A change that lets nobody in is no hint.
    let helps = |bent: Survey<'_>| Some(fits(&bent.findings())).filter(|nodes| *nodes > now);
    let of_group = |job: &mut Job, bend: &dyn Fn(&mut Group)| {
        job.groups.iter_mut().filter(|known| known.name == group.name).for_each(bend);
    };
    let mut hints = Vec::new();
    for to in least_lowered(group, findings) {
        let bent = survey.with(|job| of_group(job, &|group| to.iter().for_each(|(of, to)| lower(group, *of, *to))));
        hints.extend(helps(bent).map(|nodes| Hint::Lower { to: to.clone(), nodes }));
    }
    for constraint in constraints(survey.job(), group) {
        let bent = survey.with(|job| {
            job.constraints.retain(|known| *known != constraint);
            of_group(job, &|group| remove(group, &constraint));
        });
        hints.extend(helps(bent).map(|nodes| Hint::RemoveConstraint { constraint: constraint.to_string(), nodes }));
    }
    let any_datacenter = survey.with(|job| job.datacenters = vec!["*".into()]);
    hints.extend(helps(any_datacenter).map(|nodes| Hint::AnyDatacenter { nodes }));
    let any_pool = survey.with(|job| job.node_pool = model::ALL_NODE_POOLS.into());
    hints.extend(helps(any_pool).map(|nodes| Hint::AnyPool { nodes }));
    let dynamic = survey.with(|job| of_group(job, &let_ports_be_chosen));
    hints.extend(helps(dynamic).map(|nodes| Hint::DynamicPorts { nodes }));
    hints.extend(findings.iter().filter_map(only_closed));
    let ask = group.ask();
    hints.push(Hint::AddNode { cpu_mhz: ask.cpu_mhz, memory_mb: ask.memory_mb, instances: unplaced.max(1) });
    hints
}

fn fits(findings: &[Finding]) -> u32 {
    findings.iter().filter(|finding| finding.misfits.is_empty()).count() as u32
}

/// For each set of dimensions that alone keeps an instance from some node: the amounts that ask for the least sacrifice.
fn least_lowered(group: &Group, findings: &[Finding]) -> Vec<Asks> {
    let mut least: BTreeMap<(usize, Vec<Dimension>), (u64, Asks)> = BTreeMap::new();
    for finding in findings {
        let Some((sacrifice, to)) = lowered_for(group, &finding.misfits) else { continue };
        let dimensions: Vec<_> = to.keys().copied().collect();
        let known = least.entry((dimensions.len(), dimensions)).or_insert_with(|| (sacrifice, to.clone()));
        if sacrifice < known.0 {
            *known = (sacrifice, to);
        }
    }
    least.into_values().map(|(_, to)| to).collect()
}

/// To what each ask must be lowered to overcome `misfits`, and the sacrifice in thousandths; none where that is no way.
fn lowered_for(group: &Group, misfits: &[Misfit]) -> Option<(u64, Asks)> {
    // Without a limit of its own, the most memory is the memory.
    let max_is_memory = group.tasks.iter().all(|task| task.resources.limit_mb() == task.resources.memory);
    let mut to = BTreeMap::new();
    let mut sacrifice = 0;
    for misfit in misfits {
        let (dimension, ask, free) = match misfit {
            Misfit::Cpu { ask_mhz, free_mhz } => (Dimension::Cpu, *ask_mhz, *free_mhz),
            Misfit::Memory { ask_mb, free_mb } => (Dimension::Memory, *ask_mb, *free_mb),
            Misfit::MemoryMax { ask_mb, free_mb } if max_is_memory => (Dimension::Memory, *ask_mb, *free_mb),
            Misfit::MemoryMax { ask_mb, free_mb } => (Dimension::MemoryMax, *ask_mb, *free_mb),
            Misfit::Disk { ask_mb, free_mb } => (Dimension::Disk, *ask_mb, *free_mb),
            _ => return None,
        };
        if free.saturating_mul(LOWERED_PARTS_MAX) < ask || free == 0 {
            return None;
        }
        let known = to.entry(dimension).or_insert(free);
        *known = free.min(*known);
        sacrifice += (ask - free) * 1000 / ask;
    }
    Some((sacrifice, to)).filter(|(_, to)| !to.is_empty())
}

/// Lowers what the tasks of `group` ask together, the largest first.
fn lower(group: &mut Group, dimension: Dimension, to: u64) {
    if dimension == Dimension::Disk {
        group.ephemeral_disk.size_mb = to;
        return;
    }
    for _ in 0..group.tasks.len() {
        let ask = group.ask();
        let sum = match dimension {
            Dimension::Cpu => ask.cpu_mhz,
            Dimension::Memory => ask.memory_mb,
            Dimension::MemoryMax | Dimension::Disk => ask.memory_max_mb,
        };
        let of_task = |task: &model::Task| match dimension {
            // Cores can't be had in parts.
            Dimension::Cpu => task.resources.cpu_mhz(0),
            Dimension::Memory => task.resources.memory,
            Dimension::MemoryMax | Dimension::Disk => task.resources.limit_mb(),
        };
        let Some(largest) = group.tasks.iter_mut().max_by_key(|task| of_task(task)) else { return };
        let amount = of_task(largest).saturating_sub(sum.saturating_sub(to));
        match dimension {
            Dimension::Cpu => largest.resources.cpu = amount,
            Dimension::Memory => largest.resources.memory = amount,
            Dimension::MemoryMax | Dimension::Disk => {
                largest.resources.memory_max = i64::try_from(amount).unwrap_or(i64::MAX);
            }
        }
    }
}

fn constraints(job: &Job, group: &Group) -> Vec<Constraint> {
    let of_tasks = group.tasks.iter().flat_map(|task| &task.constraints);
    let mut seen = BTreeSet::new();
    let all = job.constraints.iter().chain(&group.constraints).chain(of_tasks);
    all.filter(|constraint| seen.insert(constraint.to_string())).cloned().collect()
}

fn remove(group: &mut Group, constraint: &Constraint) {
    group.constraints.retain(|known| known != constraint);
    for task in &mut group.tasks {
        task.constraints.retain(|known| known != constraint);
    }
}

fn let_ports_be_chosen(group: &mut Group) {
    for network in &mut group.networks {
        let fixed = std::mem::take(&mut network.reserved_ports);
        network.dynamic_ports.extend(fixed);
    }
}

/// A node that would fit if it were ready and open.
fn only_closed(finding: &Finding) -> Option<Hint> {
    let closes = |misfit: &Misfit| matches!(misfit, Misfit::NotReady { .. } | Misfit::Ineligible { .. });
    let because = finding.misfits.first().filter(|_| finding.misfits.iter().all(closes))?;
    Some(Hint::OpenNode { name: finding.node.name.clone(), because: because.clone() })
}

/// A sentence for people.
impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Hint::Lower { to, nodes } => {
                let asks: Vec<_> = to.iter().map(|(of, to)| format!("{} to {to} {}", of.name(), of.unit())).collect();
                write!(f, "lower {}: fits {}", asks.join(" and "), counted(*nodes, "node"))
            }
            Hint::RemoveConstraint { constraint, nodes } => {
                write!(f, "remove constraint `{constraint}`: fits {}", counted(*nodes, "node"))
            }
            Hint::AnyDatacenter { nodes } => write!(f, "allow all datacenters: fits {}", counted(*nodes, "node")),
            Hint::AnyPool { nodes } => write!(f, "allow all node pools: fits {}", counted(*nodes, "node")),
            Hint::DynamicPorts { nodes } => {
                write!(f, "use dynamic ports instead of static ones: fits {}", counted(*nodes, "node"))
            }
            Hint::OpenNode { name, because } => write!(f, "bring back node {name}, which would fit: {because}"),
            Hint::AddNode { cpu_mhz, memory_mb, instances: 1 } => {
                write!(f, "add one node of at least {cpu_mhz} MHz and {memory_mb} MiB")
            }
            Hint::AddNode { cpu_mhz, memory_mb, instances } => {
                write!(f, "add room of at least {cpu_mhz} MHz and {memory_mb} MiB for each of {instances} instances")
            }
        }
    }
}

fn counted(number: u32, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
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

#[cfg(test)]
mod tests {
    use model::testing::job;

    use super::*;

    #[test]
    fn an_ask_may_be_lowered_to_its_least_part_and_no_further() {
        let group = job("web").groups.remove(0);
        let lowered = |ask_mb| lowered_for(&group, &[Misfit::Disk { ask_mb, free_mb: 7 }]).map(|(_, to)| to);
        assert_eq!(lowered(7 * LOWERED_PARTS_MAX), Some(Asks::from([(Dimension::Disk, 7)])));
        assert_eq!(lowered(7 * LOWERED_PARTS_MAX + 1), None);
    }
}
